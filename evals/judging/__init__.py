"""The judge of a run: opened, paid for, forecast, and checked by canaries."""
