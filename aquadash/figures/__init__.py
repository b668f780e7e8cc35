"""Typed results to plotly figures, one kind of chart a file; ``theme`` holds what they share.

Import a chart from its own module, so that a page loads only what it draws.
"""
