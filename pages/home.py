"""Home: show a network a picture, begin somewhere, go on with what there is."""

from aquadash.ui.home import page

page.render()
