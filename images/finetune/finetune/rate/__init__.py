"""Score samples by an encoder classifier or a reward model."""
