"""vLLM servers started for a run and stopped with it."""
