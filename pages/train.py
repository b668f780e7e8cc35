"""Train: launch a run and watch it, or search for good settings."""

from aquadash.ui.train import page

page.render()
