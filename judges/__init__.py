"""Grading by models. No judge has moved in yet."""
