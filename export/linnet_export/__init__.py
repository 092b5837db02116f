"""Checkpoint to one verified ONNX file."""
