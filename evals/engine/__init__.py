"""Executing a run: generation, scoring, metrics, progress."""
