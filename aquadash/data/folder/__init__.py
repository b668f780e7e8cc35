"""Own pictures: a ZIP archive or a folder with a sub-folder per class, read, checked, and kept as a data set.

``importing`` makes a data set without a name by ``listing`` (classes), ``reading`` (decoding), ``splitting`` and
``checks``; ``store`` has the kept ones.
"""
