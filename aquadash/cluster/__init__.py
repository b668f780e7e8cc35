"""More than one machine: Dask workers take jobs from the database that all machines share. docs/cluster.md."""
