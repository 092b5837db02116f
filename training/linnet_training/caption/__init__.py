"""Picture captions: from photographs with captions to a checkpoint."""
