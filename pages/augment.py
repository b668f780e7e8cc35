"""Augment: random changes that make more out of the training images."""

from aquadash.ui.augment import page

page.render()
