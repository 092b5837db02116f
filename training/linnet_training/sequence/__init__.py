"""Decoders that read a memory with attention and write tokens: captions and translations share them."""
