"""Prices of models, and a budget that cannot be exceeded."""
