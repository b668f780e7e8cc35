"""Timings of AquaDash, most of them against the report's own way of doing the same, and many visitors at once."""
