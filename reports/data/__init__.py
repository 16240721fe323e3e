"""Runs and trainings in, plain tables out: everything that the pages show."""
