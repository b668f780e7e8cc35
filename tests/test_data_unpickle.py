"""The unpickler admits arrays of numbers and plain containers, and runs nothing else."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquadash.data.unpickle import loads
from aquadash.errors import DataError


class _Calls:
    """Pickles as a call of ``function``."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


class _Numpy1Pickler(pickle._Pickler):
    """Writes NumPy's functions under the module names that NumPy 1 and the official archive use."""

    def save_global(self, obj: Any, name: str | None = None) -> None:
        if getattr(obj, "__name__", "") == "_reconstruct":
            self.write(b"cnumpy.core.multiarray\n_reconstruct\n")
        else:
            super().save_global(obj, name)

    dispatch = {**pickle._Pickler.dispatch, type(len): save_global, type(loads): save_global}


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.uint8).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=np.uint8).reshape(3, 4)),
        np.arange(5, dtype=">i4"),
        np.arange(3, dtype="<f8"),
        np.empty((0, 3), dtype=np.uint8),
    ],
)
def test_arrays_come_back_in_every_protocol(array: np.ndarray, protocol: int) -> None:
    values = loads(pickle.dumps({"data": array, "labels": [1, 2], b"name": "x"}, protocol=protocol), what="it")
    assert values["data"].dtype == array.dtype
    np.testing.assert_array_equal(values["data"], array)
    assert values["labels"] == [1, 2]


def test_numpy_1_module_names_are_known() -> None:
    stream = io.BytesIO()
    _Numpy1Pickler(stream, protocol=2).dump({"data": np.arange(4, dtype=np.uint8)})
    assert b"cnumpy.core.multiarray\n" in stream.getvalue()
    assert loads(stream.getvalue(), what="it")["data"].tolist() == [0, 1, 2, 3]


def test_many_bytes_as_python_3_writes_them_for_older_readers_are_no_nest() -> None:
    names = [b"image_%d.png" % i for i in range(5000)]
    assert loads(pickle.dumps({b"filenames": names}, protocol=2), what="it") == {b"filenames": names}


def test_text_of_python_2_comes_back_as_bytes() -> None:
    assert loads(b"\x80\x02}U\x03keyU\x05values.", what="it") == {b"key": b"value"}


def test_a_foreign_function_is_named_and_not_run(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    data = pickle.dumps({"data": _Calls(os.system, f"touch {victim}")})
    with pytest.raises(DataError, match=r"'train' in a\.gz asks for '(posix|nt)\.system'.*refused and nothing was run"):
        loads(data, what="'train' in a.gz")
    assert not victim.exists()


@pytest.mark.parametrize("name", [b"builtins\neval", b"__builtin__\neval", b"numpy\nload", b"os.path\njoin"])
def test_names_beyond_the_format_are_refused(name: bytes) -> None:
    with pytest.raises(DataError, match="asks for"):
        loads(b"\x80\x02c" + name + b"\n.", what="it")


def test_a_foreign_module_is_not_even_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trap_module.py").write_text(f"open({str(tmp_path / 'victim')!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DataError, match=r"trap_module\.anything"):
        loads(b"\x80\x02ctrap_module\nanything\n.", what="it")
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize(
    "value",
    [
        np.array([{}, None], dtype=object),
        np.array(["text"]),
        np.zeros(2, dtype=[("a", "u1"), ("b", "f8")]),
        np.array(["2020-01-01"], dtype="datetime64[D]"),
    ],
)
def test_arrays_of_anything_but_numbers_are_refused(value: np.ndarray) -> None:
    with pytest.raises(DataError):
        loads(pickle.dumps({"data": value}, protocol=2), what="it")


def test_an_object_array_cannot_be_smuggled_in_by_its_state() -> None:
    sound = pickle.dumps(np.arange(4, dtype=np.uint8), protocol=2)
    forged = sound.replace(b"X\x02\x00\x00\x00u1", b"X\x02\x00\x00\x00O8")
    assert forged != sound
    with pytest.raises(DataError, match="damaged"):
        loads(forged, what="it")


def test_bytes_and_shape_must_agree() -> None:
    sound = pickle.dumps({"data": np.zeros(200, dtype=np.uint8)}, protocol=2)
    forged = sound.replace(b"K\xc8\x85", b"K\xc9\x85")
    assert forged != sound
    with pytest.raises(DataError, match="damaged"):
        loads(forged, what="it")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a pickle",
        pickle.dumps(list(range(1000)))[:-40],
        b"\x80\x02Nr\xff\xff\xff\xff.",  # a memo index that would reserve 32 GiB
        b"\x80\x02N" + b"\x85" * 100_000 + b".",  # a nest that exhausts the stack when hashed
        b"\x80\x02c_codecs\nencode\nq\x00)" + b"\x85q\x010h\x00h\x01R" * 2000 + b".",  # a nest of calls' arguments
        b"\x80\x02cnumpy\ndtype\n}U\x05_roleU\x06encodesb.",  # sets an attribute of a stand-in
        b"\x80\x02cnumpy\nndarray\n)\x81.",
        b"\x80\x02Pid\n.",
    ],
)
def test_damage_and_tricks_give_one_clear_error(data: bytes) -> None:
    with pytest.raises(DataError, match="it is damaged"):
        loads(data, what="it")
