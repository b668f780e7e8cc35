"""Reads the three members of an untrusted CIFAR-100 archive, and their pickles.

A pickle can call any function of any installed module. Our unpickler provides stand-ins for the names that the format
needs, and refuses any other name before it is imported. It makes arrays of number types only, from raw bytes.
"""

import gzip
import io
import pickle
import pickletools
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from aquadash.errors import DataError

#: The folder in the archive.
FOLDER = "cifar-100-python"

#: The most bytes of each member. The official ones have 155,249,918, 31,049,696 and 1,526.
MEMBER_LIMITS = {"train": 200_000_000, "test": 50_000_000, "meta": 1_000_000}

#: The most bytes an archive may unpack to; the official one has 186 million.
MAX_UNPACKED = 400_000_000

_REMEDY = "Get the file again, from https://www.cs.toronto.edu/~kriz/cifar.html, or delete it to have it downloaded."

#: The most containers in one pickle; CIFAR-100's have about ten. Deeply nested ones would exhaust the stack. Tuples of
#: a call's arguments are not counted, because stand-ins accept no containers as arguments except a shape.
_MAX_CONTAINERS = 1_000
_TUPLES = frozenset("TUPLE TUPLE1 TUPLE2 TUPLE3".split())
_CONTAINERS = frozenset("LIST DICT FROZENSET EMPTY_TUPLE EMPTY_LIST EMPTY_DICT EMPTY_SET".split())
_MEMO_WRITES = frozenset("PUT BINPUT LONG_BINPUT MEMOIZE".split())

#: The role of the stand-in for each name that a pickle may use.
_ROLES = {
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): "dtype",
    ("numpy.core.multiarray", "_reconstruct"): "reconstruct",
    ("numpy._core.multiarray", "_reconstruct"): "reconstruct",
    ("numpy.core.numeric", "_frombuffer"): "frombuffer",
    ("numpy._core.numeric", "_frombuffer"): "frombuffer",
    # Python 3 writes bytes in this way for Python 2.
    ("_codecs", "encode"): "encode",
    ("__builtin__", "bytes"): "no bytes",
}


def read_members(path: Path) -> dict[str, bytes]:
    """Return the bytes of ``train``, ``test`` and ``meta``."""
    try:
        members = _from_folder(path) if path.is_dir() else _from_tar(path)
    except DataError:
        raise
    except Exception as error:  # Damaged headers and streams can raise nearly any exception.
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
            raise DataError(f"The CIFAR-100 archive {path} cannot be read ({error.strerror or error}).") from None
        raise DataError(f"The CIFAR-100 archive {path} is damaged or incomplete ({error}). {_REMEDY}") from None
    missing = [name for name in MEMBER_LIMITS if name not in members]
    if missing:
        raise DataError(
            f"{path} is not a complete CIFAR-100 archive: it lacks {', '.join(missing)} (expected the files train, "
            f"test and meta in {FOLDER}/). {_REMEDY}"
        )
    return members


def _from_folder(folder: Path) -> dict[str, bytes]:
    members = {}
    for name, limit in MEMBER_LIMITS.items():
        file = folder / name
        if file.is_file():
            _check_member_size(name, file.stat().st_size, limit)
            members[name] = file.read_bytes()
    return members


def _from_tar(path: Path) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    with gzip.open(path, "rb") as unzipped:
        stream = _LimitedReader(unzipped, MAX_UNPACKED)
        # "r|" reads forward only, without an index of all members, which a hostile file could make huge.
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                name = _known_name(member.name)
                if name is None or name in members or not member.isreg():
                    continue
                _check_member_size(name, member.size, MEMBER_LIMITS[name])
                content = tar.extractfile(member)
                data = content.read() if content else b""
                if len(data) != member.size:
                    raise EOFError(f"{name} ends early")
                members[name] = data
        # gzip checks its checksum only at the end of the stream.
        while stream.read(1 << 20):
            pass
    return members


def _known_name(name: str) -> str | None:
    """Return ``train``, ``test`` or ``meta`` for the member's path; None for another member."""
    parts = PurePosixPath(name).parts
    if parts[:1] == (FOLDER,):
        parts = parts[1:]
    return parts[0] if len(parts) == 1 and parts[0] in MEMBER_LIMITS else None


def _check_member_size(name: str, size: int, limit: int) -> None:
    if size > limit:
        raise DataError(
            f"'{name}' in the CIFAR-100 archive has {size:,} bytes; at most {limit:,} are expected. {_REMEDY}"
        )


class _LimitedReader(io.RawIOBase):
    """A stream that raises an error after a number of bytes, because a small file can unpack to an endless one."""

    def __init__(self, source: gzip.GzipFile, limit: int) -> None:
        self._source = source
        self._left = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise DataError(f"The CIFAR-100 archive unpacks to more than {MAX_UNPACKED:,} bytes. {_REMEDY}")
        return data


def unpickle(data: bytes, *, what: str) -> Any:
    """Read a pickle of numbers, text, bytes, plain containers and, in its outer dictionary, NumPy arrays of numbers."""
    try:
        _check_size_of_structure(data)
        value = _Unpickler(data, what).load()
    except DataError:
        raise
    except Exception as error:  # A damaged pickle can raise nearly any exception.
        raise DataError(f"{what} is damaged: it cannot be read ({type(error).__name__}).") from None
    if isinstance(value, dict):
        return {key: item.array if isinstance(item, _Array) else item for key, item in value.items()}
    return value


def _check_size_of_structure(data: bytes) -> None:
    """Refuse a pickle that would take far more memory or stack than its size, without running it."""
    containers = 0
    after_tuple = False
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in _MEMO_WRITES:
            # Python reserves memory up to the highest index used.
            if int(argument or 0) > len(data):
                raise ValueError("memo index out of range")
            continue
        containers += opcode.name in _CONTAINERS
        containers += after_tuple and opcode.name != "REDUCE"
        if containers > _MAX_CONTAINERS:
            raise ValueError("too many containers")
        after_tuple = opcode.name in _TUPLES


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, what: str) -> None:
        super().__init__(io.BytesIO(data), encoding="bytes")
        self._what = what

    def find_class(self, module: str, name: str) -> Any:
        role = _ROLES.get((module, name))
        if role is None:
            function = f"{module}.{name}"[:80]
            raise DataError(
                f"{self._what} asks for {function!r}, which image data does not need and which could run a program. It "
                "was refused and nothing was run. Get the official archive, from "
                "https://www.cs.toronto.edu/~kriz/cifar.html."
            )
        return _StandIn(role)


class _StandIn:
    """A NumPy name in a pickle; the pickle cannot change its attributes."""

    __slots__ = ("_role",)

    def __init__(self, role: str) -> None:
        self._role = role

    # Without this method a pickle could set attributes.
    def __setstate__(self, state: object) -> NoReturn:
        raise ValueError("a stand-in has no state")

    def __call__(self, *arguments: Any) -> Any:
        match self._role, arguments:
            case "reconstruct", (_StandIn(), (0,), str() | bytes()):
                return _Array()
            case "dtype", (str() | bytes() as code, False | 0, True | False | 0 | 1):
                return _Dtype(code.decode("ascii") if isinstance(code, bytes) else code)
            case "frombuffer", (
                bytes() | bytearray() as raw,
                _Dtype() as dtype,
                tuple() as shape,
                "C" | "F" | b"C" | b"F" as order,
            ):
                array = _Array()
                array.fill(bytes(raw), dtype, shape, fortran=order in ("F", b"F"))
                return array
            case "encode", (str() as text, "latin1" | "latin-1" | b"latin1" | b"latin-1"):
                return text.encode("latin-1")
            case "no bytes", ():
                return b""
        raise ValueError("unexpected arguments")


class _Dtype:
    """A number type that the pickle builds in steps."""

    __slots__ = ("value",)

    def __init__(self, code: str) -> None:
        if code.lstrip("<>|=") not in _NUMBER_TYPES:
            raise ValueError("not a number type")
        self.value: np.dtype[Any] = np.dtype(code)

    def __setstate__(self, state: object) -> None:
        match state:
            case (int(), "<" | ">" | "=" | "|" | b"<" | b">" | b"=" | b"|" as order, None, None, None, *_):
                self.value = np.dtype((order.decode() if isinstance(order, bytes) else order) + self.value.str[1:])
            case _:
                raise ValueError("not a plain number type")


_NUMBER_TYPES = frozenset("b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split())


class _Array:
    """An array that the pickle builds in steps."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array: NDArray[Any] = np.empty(0, dtype=np.uint8)

    def __setstate__(self, state: object) -> None:
        match state:
            case (int(), tuple() as shape, _Dtype() as dtype, fortran, bytes() as raw):
                self.fill(raw, dtype, shape, fortran=bool(fortran))
            case _:
                raise ValueError("not a plain array of numbers")

    def fill(self, raw: bytes, dtype: _Dtype, shape: tuple[Any, ...], *, fortran: bool) -> None:
        """Set the content; a shape that does not fit the bytes raises a ``ValueError``."""
        if not all(type(length) is int for length in shape):
            raise ValueError("not a shape")
        self.array = np.frombuffer(raw, dtype=dtype.value).reshape(shape, order="F" if fortran else "C")
