"""Explanations of a model's answers. Functions import TensorFlow themselves."""
