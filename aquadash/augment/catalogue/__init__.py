"""The entries of the catalogue, one file a family; :mod:`aquadash.augment.operators` puts them together."""
