"""Predict: show trained networks pictures of one's own."""

from aquadash.ui.predict import page

page.render()
