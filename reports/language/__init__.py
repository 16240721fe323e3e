"""What pages say in each language: words, numbers, times."""
