"""Own pictures: a ZIP archive or a folder with a sub-folder a class, read, checked, and kept as a data set.

``listing`` finds the pictures and their classes, ``reading`` decodes them, ``splitting`` keeps some for the test,
``checks`` says what is wrong, ``importing`` does all of it and makes a data set without a name, which is kept or thrown
away, and ``store`` holds the kept ones.
"""
