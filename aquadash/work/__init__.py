"""Background work: slots, the worker process and the process that stands by.

A page or command submits a job. A worker process claims it, reports its progress and learns whether to stop. Everybody
reads the same row of the database.
"""
