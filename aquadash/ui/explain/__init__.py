"""Explanation maps on Evaluate and Predict."""
