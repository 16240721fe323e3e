"""The HTML pages: report, leaderboard, learning."""
