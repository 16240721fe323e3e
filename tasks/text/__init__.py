"""What tasks share about text: its language, its final answer, its grammar."""
