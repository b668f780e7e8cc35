"""Evaluate: what a run's network gets right and what it confuses."""

from aquadash.ui.evaluate import page

page.render()
