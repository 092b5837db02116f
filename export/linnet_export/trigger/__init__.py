"""A trigger word: from checkpoint to verified file."""
