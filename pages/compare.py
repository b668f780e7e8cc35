"""Compare: the table of runs, and picked ones beside one another."""

from aquadash.ui.compare import page

page.render()
