"""The model in training: weights, adapters, sampling, and their spread over processes."""
