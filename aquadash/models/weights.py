"""Files of pretrained weights: where they are, how they are downloaded, checked and loaded."""

from __future__ import annotations

import http.client
import logging
import os
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from zipfile import BadZipFile

import numpy as np

from aquadash import settings
from aquadash.data.download import download
from aquadash.errors import DataError
from aquadash.files import file_digest
from aquadash.models.lazy import h5py, keras

_log = logging.getLogger(__name__)

#: Seconds that a check waits for the server.
REACH_SECONDS = 5.0

#: The errors of h5py and Keras for a file that is damaged or of another network.
_FILE_ERRORS = (OSError, EOFError, KeyError, ValueError, TypeError, RuntimeError, IndexError, AttributeError)


@dataclass(frozen=True)
class LocalWeights:
    """A file on this computer: the first of ``paths`` that exists."""

    paths: Sequence[Path]
    #: The error if none exists; it says how to install the file.
    missing: str

    def check(self) -> None:
        """Check before a training starts that the file is there."""
        if not any(path.is_file() for path in self.paths):
            raise DataError(self.missing)

    def fetch(self, progress: Callable[[str, float | None], None]) -> Path:
        """Return the file."""
        self.check()
        return next(path for path in self.paths if path.is_file())


@dataclass(frozen=True)
class ImageNetWeights:
    """The weights of a network of ``keras.applications`` without its own head, in a file that Keras's authors offer.

    ``AQUADASH_WEIGHTS`` may name any file that fits the network, because nothing in an HDF5 file is executed; a file in
    the home or in Keras's cache must have the right hash or, where Keras names none, as many numbers as the network.
    """

    #: The network's title for people.
    title: str
    #: Address of the file; it ends in the file's name.
    url: str
    #: The file's hash; None where Keras names none.
    md5: str | None
    #: The file's size in bytes.
    size: int
    #: The number of the network's parameters.
    params: int

    @property
    def file_name(self) -> str:
        """The file's name on Keras's server and in its cache."""
        return self.url.rpartition("/")[2]

    def locate(self) -> Path | None:
        """Find the file by ``AQUADASH_WEIGHTS``, in the home or in Keras's cache; None if it has to be downloaded."""
        if named := self._named():
            return named
        paths = (folder / self.file_name for folder in _folders())
        return next((path for path in paths if path.is_file() and self._is_sound(path)), None)

    def check(self) -> None:
        """Check before a training starts that the file is here or can be downloaded; a DataError says what to do."""
        if self.locate() is None and (reason := unreachable(self.url)):
            raise self._missing(reason)

    def fetch(self, progress: Callable[[str, float | None], None]) -> Path:
        """Return the file, downloaded first if need be; progress gets a text and a fraction (None: unknown)."""
        path = self.locate() or self._download(progress)
        _log.info("the weights of %s are read from %s", self.title, path)
        return path

    def _named(self) -> Path | None:
        """Return the file that ``AQUADASH_WEIGHTS`` names for this network, if there is one."""
        named = settings.pretrained_weights()
        if named is None:
            return None
        if not os.path.exists(named):
            raise DataError(
                f"AQUADASH_WEIGHTS names {named}, which does not exist. Correct the path. Or unset the variable: "
                "AquaDash then searches its own folders and downloads the weights if necessary."
            )
        path = named / self.file_name if named.is_dir() else named
        # Plain arrays are for EfficientNet-Lite0 and for no network of Keras.
        if not path.is_file() or path.suffix == ".npz":
            return None
        if (params := count_params(path)) == self.params:
            return path
        if path.name == self.file_name:
            raise DataError(
                f"{path} (from AQUADASH_WEIGHTS) has {params:,} parameters, but {self.title} without its own "
                f"head has {self.params:,}. Put the file from {self.url} there, or unset the variable."
            )
        _log.info("%s (from AQUADASH_WEIGHTS) has %d parameters, %s %d", path, params, self.title, self.params)
        return None

    def _is_sound(self, path: Path) -> bool:
        try:
            sound = file_digest(path, "md5") == self.md5 if self.md5 else count_params(path) == self.params
        except (DataError, OSError):
            sound = False
        if not sound:
            _log.warning("skipped %s: it is damaged or not the file that Keras offers", path)
        return sound

    def _download(self, progress: Callable[[str, float | None], None]) -> Path:
        target = _folders()[0] / self.file_name
        try:
            download(target, url=self.url, md5=self.md5, size=self.size, progress=progress)
            if not self._is_sound(target):
                target.unlink(missing_ok=True)
                raise DataError("the downloaded file is not the expected one")
        except DataError as error:
            raise self._missing(str(error)) from None
        return target

    def _missing(self, reason: str) -> DataError:
        places = " and ".join(str(folder) for folder in _folders())
        if named := settings.pretrained_weights():
            places = f"{named} (AQUADASH_WEIGHTS), {places}"
        return DataError(
            f"The ImageNet weights of {self.title} are not on this computer and cannot be downloaded: {reason}. "
            f"AquaDash looked for {self.file_name} in {places}. Connect to the internet once. Or copy the file "
            f"({self.size / 1e6:.0f} MB) from {self.url} into {_folders()[0]}, or set AQUADASH_WEIGHTS to "
            "the file or its folder. The model 'backbone' needs no download."
        )


#: A file of weights, on this computer or to be downloaded.
PretrainedWeights: TypeAlias = LocalWeights | ImageNetWeights


def unreachable(url: str, *, seconds: float = REACH_SECONDS) -> str | None:
    """Return why nothing can be downloaded from an address; None if its server answers."""
    answers: list[str | None] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=seconds):
                answers.append(None)
        except (OSError, ValueError, http.client.HTTPException) as error:
            answers.append(str(getattr(error, "reason", "") or error))

    thread = threading.Thread(target=ask, name="reach-server", daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else f"no answer within {seconds:.0f} seconds"


def count_params(path: Path) -> int:
    """Count the numbers in an HDF5 file of weights without those of an optimizer."""
    sizes: list[int] = []

    # visititems does not follow links, so a file cannot point to others.
    def visit(name: str, node: h5py.HLObject) -> None:
        if isinstance(node, h5py.Dataset) and not name.startswith("optimizer") and "seed_generator" not in name:
            sizes.append(int(node.size or 0))

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except _FILE_ERRORS as error:
        raise DataError(f"{path} is not a file of weights, or is damaged ({_short(error)}).") from None
    return sum(sizes)


def load_hdf5(model: keras.Model, path: Path) -> None:
    """Load weights by the order of the layers, from any kind of HDF5 file that Keras has written."""
    try:
        # Keras 3 chooses the layout by the file's ending, which may be wrong; a link has the right one.
        with tempfile.TemporaryDirectory(prefix="aquadash-weights-") as folder:
            link = Path(folder) / ("link.weights.h5" if _is_of_keras_3(path) else "link.h5")
            link.symlink_to(path.resolve())
            model.load_weights(link)
    except _FILE_ERRORS as error:
        raise DataError(
            f"The weights in {path} are damaged or of another network ({_short(error)}). Remove the file to have it "
            "downloaded again, or name another with AQUADASH_WEIGHTS."
        ) from error


def load_npz(body: keras.Model, path: Path) -> None:
    """Load weights by their names."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for variable in body.weights:
                variable.assign(arrays[variable.path.replace("/", ".")].astype(np.float32))
    except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
        raise DataError(f"The pretrained weights {path.name} are damaged or of another network ({error}).") from error


def _is_of_keras_3(path: Path) -> bool:
    """Return True for the layout of Keras 3; the older one lists the names of its layers."""
    with h5py.File(path, "r") as file:
        return "layer_names" not in file.attrs and "model_weights" not in file


def _folders() -> tuple[Path, Path]:
    """Return the folders that are searched, that for downloads first: the home's and Keras's cache."""
    return settings.home() / "weights", settings.keras_home() / "models"


def _short(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
