"""Own pictures: a ZIP archive or a folder with a sub-folder a class, read, checked, and kept as a data set.

``importing`` makes a data set without a name, by ``listing`` (classes), ``reading`` (decoding), ``splitting`` and
``checks``; ``store`` holds the kept ones.
"""
