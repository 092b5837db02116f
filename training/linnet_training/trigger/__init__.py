"""Trigger words: from recordings or a phrase to a checkpoint."""
