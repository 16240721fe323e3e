"""Running: models, the runner, the store, statistics."""
