"""Pages served while runs are going on."""
