"""From the text of a final answer to its structure."""
