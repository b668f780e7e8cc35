"""The parts of the pages. Here lies what several of them use; a folder holds what one page draws.

Imports between the folders point one way, too: a folder may import from itself, from the files here, and from the
folders in *earlier* lines of this table.

===============  ==================================================================
folder           holds
===============  ==================================================================
``explain``      why a network answers so, on Evaluate and on Predict
``train``        the Train page: the form, a run at work
``search``       the Train page's sections: one training, and searches
``evaluate``     the Evaluate page; the talk; export and import
``compare``      the Compare page: the table of runs, and runs side by side
``predict``      the Predict page
``augment``      the Augment page: the studio and its sections
``walkthrough``  the Walkthrough page: a function a section of the report
``home``         the Home page: an answer in place, where to begin, what goes on
``data``         the Data page: images, and own pictures
``classroom``    what a class sees: joining, who is there, board, queue
===============  ==================================================================
"""
