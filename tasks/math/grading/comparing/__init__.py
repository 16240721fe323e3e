"""Whether two answers that were read mean the same: exactly where possible, else numerically."""
