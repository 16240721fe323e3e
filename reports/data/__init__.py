"""Tables of everything that pages show, read from runs and trainings."""
