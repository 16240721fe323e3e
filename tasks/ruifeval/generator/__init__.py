"""Prompts with verifiable instructions, and answers that follow or break them, as many as one likes."""
