"""The exceptions of AquaDash. Each message names the input, what was expected and how to mend it, for a student."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

_T = TypeVar("_T")


class AquaDashError(Exception):
    """Base of all errors whose message is meant for the person at the screen."""


class UnknownNameError(AquaDashError):
    """The name of a preset, pipeline, setting, run ... is not in its table."""

    @classmethod
    def of(cls, kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
        """Build the error for an unknown name of a ``kind`` such as ``"preset"``; suggest the nearest known name."""
        names = sorted(known)
        # Upper and lower case count as the same: FlipLR is nearer to Fliplr than to Flipud.
        by_lower_case = {one.lower(): one for one in names}
        near = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.5)
        hint = f" Did you mean {by_lower_case[near[0]]!r}?" if near else ""
        listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        return cls(f"There is no {kind} called {name[:80]!r}.{hint} Known: {listed or 'none yet'}.")


def look_up(kind: str, name: str, table: Mapping[str, _T]) -> _T:
    """Return the entry of a name of a ``kind`` such as ``"preset"``, or raise :class:`UnknownNameError`."""
    if name not in table:
        raise UnknownNameError.of(kind, name, table)
    return table[name]


class NotAllowedError(AquaDashError):
    """The person may not do this in the class."""


class ConfigError(AquaDashError):
    """A run configuration or another setting cannot be used."""


class DataError(AquaDashError):
    """A data set is missing, damaged or of another content than it claims."""


class ImageError(AquaDashError):
    """A picture cannot be read or is outside the limits."""


class StorageError(AquaDashError):
    """The store or a file of it cannot be read or written."""


class RunError(AquaDashError):
    """The state of a run does not allow the action."""


class ExplainError(AquaDashError):
    """This model or image cannot be explained."""
