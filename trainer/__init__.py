"""Learning: the scores of tasks as rewards. README's map says what each folder has; one step is `methods.trainer`."""
