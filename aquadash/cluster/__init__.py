"""More than one machine: Dask workers take jobs from the database that all machines share. docs/cluster.md."""

DASK_MISSING = "A cluster needs Dask. Install it on every machine: `.venv/bin/pip install -r requirements-cluster.txt`."
