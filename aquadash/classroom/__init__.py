"""A class that shares one AquaDash: who may join, what each may do, and its limits."""
