"""Pretrained weights are found, fetched and checked, or said to be missing before anything starts."""

import functools
import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from aquadash.config import RunConfig, with_values
from aquadash.errors import DataError
from aquadash.models import weights
from aquadash.models.weights import ImageNetWeights, count_params, load_hdf5
from aquadash.store import open_store
from aquadash.work.queue import Engine, check
from tests.support.weights_files import write_like_keras

#: Nothing listens on the port for "discard".
NOBODY = "http://127.0.0.1:9/models/tiny_notop.h5"

CONFIG = with_values(RunConfig(), {"model.name": "mobilenetv2", "model.input_size": 96})
KERAS_NAME = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_96_no_top.h5"


@pytest.fixture(autouse=True)
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "keras"
    monkeypatch.setenv("KERAS_HOME", str(folder))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


def _tiny(path: Path, *, more: int = 0) -> Path:
    """A file with ten numbers of a network's, and more if asked, and with the seed of a dropout, which is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/0"] = np.zeros((3, 3))
        file["layers/dense/vars/1"] = np.zeros(1 + more)
        file["layers/dropout/seed_generator/vars/0"] = np.zeros(2)
    return path


def _weights(md5: str | None = None, url: str = NOBODY) -> ImageNetWeights:
    return ImageNetWeights("Tiny", url, md5, size=3_000_000, params=10)


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def _fetch(wanted: ImageNetWeights) -> Path:
    return wanted.fetch(lambda text, fraction: None)


def test_weights_are_looked_for(home: Path, keras_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _weights().locate() is None
    in_cache = _tiny(keras_home / "models" / "tiny_notop.h5")
    assert _weights(_md5(in_cache)).locate() == in_cache
    in_home = _tiny(home / "weights" / "tiny_notop.h5")
    assert _weights().locate() == in_home
    in_folder, own = _tiny(tmp_path / "mine" / "tiny_notop.h5"), _tiny(tmp_path / "my own.hdf5")
    for named, path in ((in_folder.parent, in_folder), (own, own)):
        monkeypatch.setenv("AQUADASH_WEIGHTS", str(named))
        assert _weights().locate() == path
        _weights().check()
        assert _fetch(_weights("0" * 32)) == path, "though it is not the file that Keras offers"


@pytest.mark.parametrize("md5", [None, "0" * 32])
def test_a_damaged_file_in_a_cache_is_passed_over(md5: str | None, home: Path, keras_home: Path) -> None:
    whole = _tiny(home / "weights" / "tiny_notop.h5")
    wanted = _weights(_md5(whole))
    assert wanted.locate() == whole
    whole.write_bytes(whole.read_bytes()[:-100])
    assert wanted.locate() is None and _weights(md5).locate() is None
    sound = _tiny(keras_home / "models" / "tiny_notop.h5")
    assert _weights(md5 and _md5(sound)).locate() == sound


def test_another_network_s_file_is_ignored(tmp_path: Path, keras_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = _tiny(tmp_path / "other_notop.h5", more=5)
    arrays = tmp_path / "efficientnet_lite0.npz"
    np.savez(arrays, weights=np.zeros(10))
    mine = _tiny(keras_home / "models" / "tiny_notop.h5")
    for named in (other, arrays, tmp_path):
        monkeypatch.setenv("AQUADASH_WEIGHTS", str(named))
        assert _weights().locate() == mine


def test_what_the_environment_names_wrongly_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_WEIGHTS", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="AQUADASH_WEIGHTS names .*nowhere, which does not exist"):
        _weights().check()

    path = tmp_path / "tiny_notop.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    monkeypatch.setenv("AQUADASH_WEIGHTS", str(path))
    with pytest.raises(DataError, match="is not a file of weights, or is damaged"):
        _weights().check()

    _tiny(path, more=1000)
    with pytest.raises(DataError, match="has 1,010 parameters, but Tiny without its own head has 10"):
        _weights().check()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serve the file ``served/tiny_notop.h5``; return the address."""
    _tiny(tmp_path / "served" / "tiny_notop.h5")
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, name="test-http-server", daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_without_a_file_the_server_is_asked_and_given_up_if_it_never_answers(server: str) -> None:
    _weights(url=f"{server}/served/tiny_notop.h5").check()
    with pytest.raises(DataError, match="cannot be downloaded: (Not Found|File not found)"):
        _weights(url=f"{server}/missing/tiny_notop.h5").check()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Quiet) as silent:  # listens and never serves
        reason = weights.unreachable(f"http://127.0.0.1:{silent.server_port}/x", seconds=0.1)
    assert reason in ("no answer within 0 seconds", "timed out")


def test_without_a_file_it_is_said(
    home: Path, keras_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AQUADASH_WEIGHTS", str(tmp_path))
    folders = (str(tmp_path), str(home / "weights"), str(keras_home / "models"))
    for ask in (ImageNetWeights.check, _fetch):
        with pytest.raises(DataError) as refused:
            ask(_weights())
        message = str(refused.value)
        assert message.startswith("The ImageNet weights of Tiny are not on this computer and cannot be downloaded: ")
        for part in ("refused", "tiny_notop.h5", NOBODY, *folders, "3 MB", "AQUADASH_WEIGHTS"):
            assert part in message


def test_a_download_is_reported_and_checked(home: Path, tmp_path: Path, server: str) -> None:
    source, url = tmp_path / "served" / "tiny_notop.h5", f"{server}/served/tiny_notop.h5"
    whole, told = source.read_bytes(), []
    path = _weights(_md5(source), url).fetch(lambda text, fraction: told.append((text, fraction)))
    assert path == home / "weights" / "tiny_notop.h5" and path.read_bytes() == whole
    assert ("Downloading tiny_notop.h5: 0 of 3 MB", len(whole) / 3_000_000) in told

    # A page that a network puts in place of the file is not taken for it, whether Keras names a hash or not.
    path.unlink()
    expected = _md5(source)
    source.write_bytes(b"<html>Please log in</html>")
    for md5 in (expected, None):
        with pytest.raises(DataError, match="the downloaded file is not the expected one"):
            _fetch(_weights(md5, url))
        assert not path.exists()


def test_nothing_is_queued_without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "unreachable", lambda url: "no network")
    store = open_store()
    with pytest.raises(DataError, match=f"no network.* looked for {KERAS_NAME}"):
        Engine(store).submit(CONFIG)
    assert store.list_runs() == []
    check(RunConfig())


def _network(*, as_a_body: bool = False) -> Any:
    """Two layers with weights; a body has others before and after them, which have none."""
    before = [layers.Resizing(4, 4), layers.Rescaling(2.0)] if as_a_body else []
    after = [layers.GlobalAveragePooling2D()] if as_a_body else []
    own = [layers.Conv2D(2, 3), layers.BatchNormalization()]
    return keras.Sequential([keras.Input((4, 4, 3)), *before, *own, *after])


def _renamed(network: Any, path: Path) -> None:
    network.save_weights(path.with_suffix(".weights.h5"))
    path.with_suffix(".weights.h5").rename(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("file.h5", write_like_keras),
        ("file.weights.h5", lambda network, path: network.save_weights(path)),
        ("file.h5", _renamed),
        ("file.h5", lambda network, path: network.save(path)),
    ],
    ids=["as Keras offers them", "saved by Keras 3", "saved by Keras 3, renamed", "a whole model"],
)
def test_weights_come_from_any_file_of_keras(name: str, write: Callable[[Any, Path], None], tmp_path: Path) -> None:
    theirs, mine = _network(), _network(as_a_body=True)
    theirs.set_weights([np.random.default_rng(0).random(weight.shape) for weight in theirs.weights])
    theirs.compile("adam", "mse")
    theirs.optimizer.build(theirs.trainable_variables)
    path = tmp_path / name
    write(theirs, path)
    assert count_params(path) == theirs.count_params(), "not those of the optimizer"
    load_hdf5(mine, path)
    for one, other in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_a_file_that_does_not_load_is_an_error(tmp_path: Path) -> None:
    damaged, of_another = tmp_path / "damaged.h5", tmp_path / "of-another.h5"
    damaged.write_bytes(b"nothing of the kind")
    write_like_keras(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2), keras.layers.Dense(3)]), of_another)
    for path in (damaged, of_another):
        with pytest.raises(DataError, match="damaged or of another network"):
            load_hdf5(_network(), path)
