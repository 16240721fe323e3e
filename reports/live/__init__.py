"""Pages of runs in progress."""
