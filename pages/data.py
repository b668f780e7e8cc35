"""Data: the images that a network learns from."""

from aquadash.ui.data import page

page.render()
