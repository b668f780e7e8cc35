"""What tests of moving runs between stores share."""

from __future__ import annotations


def forget_places() -> None:
    """Let MLflow forget where it has kept files of runs: it knows them by the run's id alone, whatever the store."""
    from mlflow.tracking._tracking_service import utils

    utils._artifact_repos_cache.clear()
