"""Own pictures: a ZIP archive or a folder with a sub-folder a class, read, checked, and kept as a data set.

``listing`` finds the pictures and their classes, ``reading`` decodes them, ``checks`` says what is wrong, ``splitting``
keeps some for the test, ``store`` keeps data sets, and ``drafts`` leads through all of it in steps that can be watched
and stopped.
"""
