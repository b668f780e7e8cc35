"""A scheduler and workers on Kubernetes: `.venv/bin/pip install dask-kubernetes`, its operator, then start this once.

The image has AquaDash in /aquadash, and what requirements.txt and requirements-cluster.txt list. The pages run in
the same Kubernetes cluster, with AQUADASH_SCHEDULER=tcp://aquadash-scheduler:8786.
"""

import os

from dask_kubernetes.operator import KubeCluster, make_cluster_spec

home, database = os.environ["AQUADASH_HOME"], os.environ["AQUADASH_DATABASE"]
spec = make_cluster_spec(
    "aquadash",
    image="registry.example/aquadash",
    n_workers=4,
    # The password is in the address, or comes from a secret as PGPASSWORD.
    env={"AQUADASH_HOME": home, "AQUADASH_DATABASE": database, "PYTHONPATH": "/aquadash"},
)
pod = spec["spec"]["worker"]["spec"]
pod["volumes"] = [{"name": "home", "nfs": {"server": "10.0.0.1", "path": home}}]
pod["containers"][0]["volumeMounts"] = [{"name": "home", "mountPath": home}]
worker = "python -m aquadash cluster worker --scheduler $(DASK_SCHEDULER_ADDRESS) --name $(DASK_WORKER_NAME)"
pod["containers"][0]["args"] = worker.split()
KubeCluster(custom_cluster_spec=spec, shutdown_on_close=False)
