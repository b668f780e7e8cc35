"""Class: the board, the queue, and the teacher's tools."""

from aquadash.ui.classroom import page

page.render()
