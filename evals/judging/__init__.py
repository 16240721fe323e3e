"""The judge of a run: opening it, its costs and call forecast, canaries that check it."""
