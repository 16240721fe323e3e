"""What protects a judge from the text that it reads."""
