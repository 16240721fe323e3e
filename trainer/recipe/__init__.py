"""Recipes: what a training is asked to do, as data."""
