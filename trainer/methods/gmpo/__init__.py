"""GMPO: reinforcement learning with a generative critic."""
