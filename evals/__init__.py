"""Evaluation: running, scoring, comparing; models, run directories, statistics."""
