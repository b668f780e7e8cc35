"""Pretrained weights are found, fetched and checked, or said to be missing before anything starts."""

from __future__ import annotations

import functools
import hashlib
import http.server
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquadash import models
from aquadash.config import RunConfig, with_values
from aquadash.engine import Engine, check
from aquadash.errors import ConfigError, DataError
from aquadash.models import transfer, weights
from aquadash.models.weights import ImageNetWeights, count_params, load_hdf5
from aquadash.runs import open_store
from tests.weights_files import keras_network, tiny_file, write_like_keras

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


def _tiny(path: Path, **more: Any) -> Path:
    """A file with ten numbers."""
    return tiny_file(path, kernel=np.zeros((3, 3)), bias=np.zeros(1), **more)


def _weights(md5: str | None = None, url: str = NOBODY) -> ImageNetWeights:
    return ImageNetWeights("Tiny", url, md5, size=3_000_000, params=10)


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def _fetch(wanted: ImageNetWeights) -> Path:
    return wanted.fetch(lambda text, fraction: None)


# --- where they are looked for


@pytest.mark.parametrize("as_folder", [True, False])
def test_the_environment_comes_first(
    as_folder: bool, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _tiny(tmp_path / "mine" / "tiny_notop.h5")
    _tiny(home / "weights" / "tiny_notop.h5")
    monkeypatch.setenv("AQUADASH_WEIGHTS", str(path.parent if as_folder else path))
    assert _weights().locate() == path
    _weights().check()
    assert _fetch(_weights()) == path


def test_then_the_home_folder_then_kerass_cache(home: Path, keras_home: Path, tmp_path: Path) -> None:
    assert _weights().locate() is None
    in_cache = _tiny(keras_home / "models" / "tiny_notop.h5")
    assert _weights(_md5(in_cache)).locate() == in_cache
    in_home = _tiny(home / "weights" / "tiny_notop.h5")
    assert _weights().locate() == in_home


def test_a_file_of_one_s_own_is_used_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = _tiny(tmp_path / "my own.hdf5")
    monkeypatch.setenv("AQUADASH_WEIGHTS", str(path))
    assert _fetch(_weights("0" * 32)) == path
    assert "my own.hdf5 is not the file that Keras offers for Tiny" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO):
        _fetch(_weights(_md5(path)))
    assert "weights of Tiny are read from" in caplog.text and "not the file" not in caplog.text


@pytest.mark.parametrize("md5", [None, "0" * 32])
def test_a_damaged_file_in_a_cache_is_passed_over(md5: str | None, home: Path, keras_home: Path) -> None:
    whole = _tiny(home / "weights" / "tiny_notop.h5")
    wanted = _weights(_md5(whole))
    assert wanted.locate() == whole
    whole.write_bytes(whole.read_bytes()[:-100])
    assert wanted.locate() is None and _weights(md5).locate() is None
    sound = _tiny(keras_home / "models" / "tiny_notop.h5")
    assert _weights(md5 and _md5(sound)).locate() == sound


def test_a_file_for_another_network_does_not_stand_in_the_way(
    tmp_path: Path, keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = _tiny(tmp_path / "other_notop.h5", more=np.zeros(5))
    monkeypatch.setenv("AQUADASH_WEIGHTS", str(other))
    mine = _tiny(keras_home / "models" / "tiny_notop.h5")
    assert _weights().locate() == mine
    monkeypatch.setenv("AQUADASH_WEIGHTS", str(tmp_path))
    assert _weights().locate() == mine


def test_what_the_environment_names_wrongly_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_WEIGHTS", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="AQUADASH_WEIGHTS names .*nowhere, which does not exist"):
        _weights().check()

    path = tmp_path / "tiny_notop.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    monkeypatch.setenv("AQUADASH_WEIGHTS", str(path))
    with pytest.raises(DataError, match="AQUADASH_WEIGHTS leads to a file .* is damaged"):
        _weights().check()

    _tiny(path, top=np.zeros(1000))
    with pytest.raises(DataError, match="holds 1,010 numbers, but Tiny without its own head has 10"):
        _weights().check()


def test_only_a_network_s_numbers_are_counted(tmp_path: Path) -> None:
    path = tiny_file(tmp_path / "w.h5", **{
        "layers/conv2d/vars/0": np.zeros((2, 3)), "layers/dropout/seed_generator/vars/0": np.zeros(2),
        "optimizer/vars/0": np.zeros(7), "optimizer_weights/x": np.zeros(7),
    })  # fmt: skip
    assert count_params(path) == 6


# --- the server


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A server on this machine, with ``models/tiny_notop.h5``; its address."""
    _tiny(tmp_path / "served" / "models" / "tiny_notop.h5")
    handler = functools.partial(_Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, name="test-http-server")
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join(timeout=10)


def test_without_a_file_the_server_is_asked(server: str) -> None:
    _weights(url=f"{server}/models/tiny_notop.h5").check()
    with pytest.raises(DataError, match="cannot be downloaded: (Not Found|File not found)"):
        _weights(url=f"{server}/missing/tiny_notop.h5").check()


def test_a_server_that_never_answers_is_given_up() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Quiet) as silent:  # listens and never serves
        reason = weights.unreachable(f"http://127.0.0.1:{silent.server_port}/x", seconds=0.1)
    assert reason in ("no answer within 0 seconds", "timed out")


@pytest.mark.parametrize("ask", [lambda wanted: wanted.check(), _fetch], ids=["check", "fetch"])
def test_with_neither_file_nor_network_one_message_says_all(
    ask: Callable[[ImageNetWeights], object],
    home: Path,
    keras_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def download(*args: Any, **options: Any) -> None:
        raise DataError("connection refused")

    monkeypatch.setattr(weights, "download", download)
    monkeypatch.setenv("AQUADASH_WEIGHTS", str(tmp_path))
    with pytest.raises(DataError) as refused:
        ask(_weights())
    message = str(refused.value)
    assert message.startswith("The ImageNet weights of Tiny are not on this computer and cannot be downloaded: ")
    folders = (str(tmp_path), str(home / "weights"), str(keras_home / "models"))
    for part in ("refused", "tiny_notop.h5", NOBODY, *folders, "3 MB", "AQUADASH_WEIGHTS"):
        assert part in message


def test_a_download_tells_its_progress_and_is_checked(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _tiny(tmp_path / "source.h5")
    arriving = source.read_bytes()
    asked: list[dict[str, Any]] = []

    def download(target: Path, **options: Any) -> None:
        asked.append(options)
        options["progress"]("half", 0.5)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(arriving)

    monkeypatch.setattr(weights, "download", download)
    told: list[tuple[str, float | None]] = []
    path = _weights(_md5(source)).fetch(lambda text, fraction: told.append((text, fraction)))
    assert path == home / "weights" / "tiny_notop.h5" and path.read_bytes() == arriving
    assert told == [("half", 0.5)]
    assert (asked[0]["url"], asked[0]["md5"], asked[0]["size"]) == (NOBODY, _md5(source), 3_000_000)

    # A page that a network puts in place of the file is not taken for it, whether Keras names a hash or not.
    path.unlink()
    arriving = b"<html>Please log in</html>"
    with pytest.raises(DataError, match="what arrived is not the expected file"):
        _fetch(_weights())
    assert not path.exists()


# --- before a run is queued


def test_nothing_is_queued_without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "unreachable", lambda url: "no network")
    store = open_store()
    with pytest.raises(DataError, match=f"no network.* Looked for {KERAS_NAME}"):
        Engine(store).submit(CONFIG)
    assert store.list_runs() == []
    check(RunConfig())


def test_a_network_that_cannot_be_made_is_refused_before_anything_is_looked_for() -> None:
    with pytest.raises(ConfigError, match="at least 75 pixels"):
        check(with_values(RunConfig(), {"model.name": "inceptionv3", "model.input_size": 74}))


# --- files of the kinds that Keras writes


def _write(kind: str, network: Any, folder: Path) -> Path:
    path = folder / KERAS_NAME
    if kind == "as Keras offers them":
        write_like_keras(network, path)
    elif kind == "saved by Keras 3":
        network.save_weights(folder / "mine.weights.h5")
        return folder / "mine.weights.h5"
    elif kind == "saved by Keras 3, renamed":
        network.save_weights(folder / "mine.weights.h5")
        (folder / "mine.weights.h5").rename(path)
    else:
        network.save(path)
    return path


@pytest.fixture(scope="module")
def networks() -> tuple[Any, Any]:
    """Keras's own, its weights random, and the one that takes them over."""
    return (
        keras_network("mobilenetv2", size=96),
        models.build(CONFIG.model, image_shape=(32, 32, 3), num_classes=5),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["as Keras offers them", "saved by Keras 3", "saved by Keras 3, renamed", "a whole model"]
)
def test_weights_come_from_any_file_of_keras(
    kind: str, networks: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, model = networks
    path = _write(kind, network, tmp_path)
    monkeypatch.setenv("AQUADASH_WEIGHTS", str(path if "renamed" not in kind else tmp_path))
    entry = models.model_entry("mobilenetv2")
    assert entry.weights and entry.load
    check(CONFIG)
    found = entry.weights(CONFIG.model).fetch(lambda text, fraction: None)
    assert found == path
    body = transfer.parts(model).body
    body.set_weights([np.zeros(weight.shape, np.float32) for weight in body.weights])
    entry.load(model, found)
    for mine, keras_own in zip(body.weights, network.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(keras_own))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["damaged", "of another network"])
def test_a_file_that_does_not_load_is_an_error(kind: str, tmp_path: Path) -> None:
    import keras

    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    path = tmp_path / "file.h5"
    if kind == "damaged":
        path.write_bytes(b"nothing of the kind")
    else:
        other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2), keras.layers.Dense(3)])
        write_like_keras(other, path)
    with pytest.raises(DataError, match="damaged or of another network"):
        load_hdf5(network, path)
