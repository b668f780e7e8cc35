"""Timings of AquaDash against the report's own way of doing the same."""
