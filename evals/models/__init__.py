"""Backends: one module each, opened by a model string (see `open.py`)."""
