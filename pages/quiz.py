"""Quiz: guess what an image shows, then see the network's answer."""

from aquadash.ui.quiz import page

page.render()
