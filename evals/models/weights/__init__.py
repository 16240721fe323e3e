"""Where weights come from: the cache, the catalog of embedded models, checkpoints."""
