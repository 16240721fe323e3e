"""Where the final answer stands in a model's text."""
