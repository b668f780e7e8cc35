"""The folder for the files of runs where the store is a database server: whoever uses that needs the folder, too.

A tracking server passes files on. A database alone does not: MLflow then writes them where the experiment says, into a
folder of the machine that made it. The folder has a mark that the experiment knows, so that another machine's folder
of the same name is not taken for it.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from aquadash import settings
from aquadash.errors import StorageError

if TYPE_CHECKING:
    from mlflow.entities import Experiment

_MARK = "store.txt"
_TAG = "aquadash.folder"


def mark(folder: Path) -> dict[str, str]:
    """Mark the folder of a store that is about to be made; returns the tags by which its experiment knows it.

    Raises:
        OSError: It cannot be written.
    """
    token = uuid.uuid4().hex
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text(token, encoding="utf-8")
    return {_TAG: token}


def check(experiment: Experiment) -> None:
    """Refuse a store whose files are in a folder of another machine.

    Raises:
        StorageError: With the folder and what to do.
    """
    token = experiment.tags.get(_TAG)
    if not token:
        return
    folder = Path(unquote(urlparse(experiment.artifact_location).path))
    try:
        found = (folder / _MARK).read_text(encoding="utf-8")
    except (OSError, ValueError):
        found = ""
    if found != token:
        raise StorageError(
            f"The run store {settings.shown_address(settings.tracking_uri())} keeps the files of runs in {folder}, and "
            "here that is not the folder it was made with. Share that folder under the same path, or let a tracking "
            "server pass the files on (docs/cluster.md) and name it in MLFLOW_TRACKING_URI."
        )
