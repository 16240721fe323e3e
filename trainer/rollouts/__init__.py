"""Sampled answers with what they earned, and which prompts are worth sampling again."""
