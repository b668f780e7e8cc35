"""The exceptions that AquaDash raises on purpose.

Every message says what came, what was expected and how to mend it, in words that can be shown to a student as they
are. Pages and the command line catch :class:`AquaDashError` and nothing broader.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

_T = TypeVar("_T")


class AquaDashError(Exception):
    """Base of all errors whose message is meant for the person at the screen."""


class UnknownNameError(AquaDashError):
    """A name (of a preset, a pipeline, a setting, a run ...) that is not in its table."""

    @classmethod
    def of(cls, kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
        """Build the error, with the nearest known name when one is near.

        Args:
            kind: What the name stands for, in the singular: ``"preset"``.
            known: The names that would have been right.
        """
        names = sorted(known)
        # Upper and lower case count as the same: FlipLR is nearer to Fliplr than to Flipud.
        by_lower_case = {one.lower(): one for one in names}
        near = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.5)
        hint = f" Did you mean {by_lower_case[near[0]]!r}?" if near else ""
        listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        return cls(f"There is no {kind} called {name[:80]!r}.{hint} Known: {listed or 'none yet'}.")


def look_up(kind: str, name: str, table: Mapping[str, _T]) -> _T:
    """What stands under a name.

    Raises:
        UnknownNameError: There is none of that name; the message names the nearest, and ``kind`` as what it stands for.
    """
    if name not in table:
        raise UnknownNameError.of(kind, name, table)
    return table[name]


class NotAllowedError(AquaDashError):
    """Something that the person who asks for it may not do in this class."""


class ConfigError(AquaDashError):
    """A run configuration that cannot be used as it is."""


class DataError(AquaDashError):
    """A data set that is missing, damaged or not what it claims to be."""


class ImageError(AquaDashError):
    """A picture that cannot be read or is outside the limits."""


class StorageError(AquaDashError):
    """The place where runs are kept cannot be read or written."""


class RunError(AquaDashError):
    """Something asked of a run that its state does not allow."""


class ExplainError(AquaDashError):
    """An explanation that cannot be had of this model or image."""
