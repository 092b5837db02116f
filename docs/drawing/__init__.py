"""What docs/pictures.py draws: a module for each part of the guide *How it works*."""
