"""A pipeline as a short text for an address, from which it can be read again."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib

from aquadash.augment.pipelines import from_json
from aquadash.augment.reading import LONGEST
from aquadash.augment.spec import PipelineSpec
from aquadash.errors import ConfigError

#: Characters of the longest text that is read; browsers and servers take addresses of twice that length.
LONGEST_DRAFT = 6_000

_TEXT = re.compile(r"[A-Za-z0-9_-]+")


def to_draft(spec: PipelineSpec) -> str:
    """A pipeline as letters, digits, ``-`` and ``_``: its JSON, compressed. It may be longer than
    :data:`LONGEST_DRAFT`, then an address should do without."""
    values = json.loads(spec.to_json())
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def from_draft(text: str) -> PipelineSpec:
    """Read and check what :func:`to_draft` wrote, or what somebody put in its place.

    Raises:
        ConfigError: It is too long, not of that form, or not a pipeline that can be used.
        UnknownNameError: An operator, setting or slot that the catalogue does not know.
    """
    if len(text) > LONGEST_DRAFT:
        raise ConfigError(f"The draft has {len(text):,} characters; expected at most {LONGEST_DRAFT:,}.")
    if not _TEXT.fullmatch(text):
        raise ConfigError("The draft has characters that none has; expected letters, digits, - and _.")
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        # A few characters can stand for gigabytes, so that reading stops where no pipeline goes on.
        reader = zlib.decompressobj()
        unpacked = reader.decompress(packed, LONGEST * 4)
        if not reader.eof or reader.unused_data:
            raise ConfigError("The draft is cut off or longer than a pipeline can be. Copy the whole address.")
        return from_json(unpacked.decode())
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        raise ConfigError("The draft is damaged. Copy the whole address, or export the pipeline as a file.") from None
