"""Training: from a config to a model, and the worker process that does it for a run of the store.

TensorFlow is imported by the modules of this room, not by this file.
"""
