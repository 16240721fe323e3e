"""Learning: the same scores as rewards. No trainer has moved in yet."""
