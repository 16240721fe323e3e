"""Studies of judges and models beyond a single run: pairwise comparison, passports, people's verdicts."""
