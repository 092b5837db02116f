"""Translation: from parallel text to a checkpoint."""
