"""A translator's checkpoint to one verified file."""
