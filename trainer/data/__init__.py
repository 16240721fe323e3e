"""What a training learns from: prompts, chats, their mixture, and the check for contamination."""
