"""Stored answers of several runs, compared two by two by a judge."""
