"""Networks in files, which may come from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.errors import StorageError
from aquadash.models.cost import check_model_file

if TYPE_CHECKING:
    import keras


def load_model(path: Path) -> keras.Model:
    """The network in a ``.keras`` file, once :func:`~aquadash.models.cost.check_model_file` has passed it.

    No code that the file may hold is run. It is not compiled: it answers, and is not trained.

    Raises:
        StorageError: The file is missing or damaged, or the network is too large or none of AquaDash's.
    """
    if not path.is_file():
        raise StorageError("This run has no saved model yet. Wait for its first epoch, or resume the run.")
    check_model_file(path)
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        # Keras answers a damaged file with anything from KeyError to zipfile.BadZipFile.
        raise StorageError(
            f"The saved model {path.name} cannot be loaded: it is damaged, or was saved by a newer Keras. Train the "
            "run again, or resume it."
        ) from error
