"""A captioner: from checkpoint to verified file."""
