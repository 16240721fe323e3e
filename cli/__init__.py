"""The command line: one thin command over each Python call of the same name."""
