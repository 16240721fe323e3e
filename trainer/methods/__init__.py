"""What a method of training is (`base`), the methods, and the trainer that runs any of them."""
