"""What a training leaves on disk: checkpoints, logs, external trackers."""
