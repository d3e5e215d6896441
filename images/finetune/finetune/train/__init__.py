"""train: supervised fine-tuning."""
