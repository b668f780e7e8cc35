"""Walkthrough: the report, section by section, with something to try in each."""

from aquadash.ui.walkthrough import page

page.render()
