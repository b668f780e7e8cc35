"""A scheduler here and workers as Slurm jobs, which have the environment of this shell.

In AquaDash's folder: `.venv/bin/pip install dask-jobqueue`, `PYTHONPATH=$PWD .venv/bin/python docs/cluster_slurm.py`.
"""

import os
from urllib.parse import urlsplit

from dask_jobqueue import SLURMCluster

here = urlsplit(os.environ["AQUADASH_SCHEDULER"])
cluster = SLURMCluster(
    cores=1,  # runs at once
    processes=1,
    job_cpu=8,
    memory="8GB",
    walltime="08:00:00",
    # For runs that need a graphics card; otherwise leave out this line and "--resources", "GPU=1".
    job_extra_directives=["--gres=gpu:1"],
    worker_extra_args=["--preload", "aquadash.cluster.plugin", "--resources", "GPU=1"],
    scheduler_options={"host": here.hostname, "port": here.port},
)
cluster.scale(jobs=4)
input("Enter ends the workers.\n")
