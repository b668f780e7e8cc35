"""Where the pictures come from: files, a folder or the camera."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import streamlit as st

from aquadash.data.images import MAX_BYTES
from aquadash.ui import bound
from aquadash.ui.lab import lab

#: The ways in, by the word in the address.
WAYS = {"files": "🖼️ Pictures", "folder": "📁 Folder", "camera": "📸 Camera"}

_HELP = (
    f"PNG, JPEG, WebP, BMP or GIF, at most {MAX_BYTES // 1_000_000} MB each. They stay on the computer that "
    "AquaDash runs on."
)


class Upload(Protocol):
    """What is used of Streamlit's uploaded files; the id is new for every upload and stands for its content."""

    file_id: str
    name: str
    size: int

    def getvalue(self) -> bytes:
        """The file's bytes."""


def chosen() -> Sequence[Upload]:
    """Draw the choice of the way in and its field; returns the pictures that are there.

    Raises:
        NotAllowedError: They are more than what the visitor may upload in this class.
    """
    return within_limit(_chosen())


def one(key: str) -> Upload | None:
    """Draw a field for one picture; returns the picture that is there.

    Args:
        key: The field's.

    Raises:
        NotAllowedError: It is more than what the visitor may upload in this class.
    """
    picture = st.file_uploader(
        "Drop a picture here",
        max_upload_size=most_megabytes(MAX_BYTES // 1_000_000),
        disabled=switched_off(),
        key=key,
        help=_HELP,
    )
    return picture if picture is None else within_limit([picture])[0]


def most_megabytes(most: int | None = None) -> int:
    """What one file of the visitor's may have at most, in millions of bytes: so much, or less in a class.

    Args:
        most: Of this kind of file; what the server takes if not given, and never more than that.
    """
    server = int(st.get_option("server.maxUploadSize"))
    most = server if most is None else min(most, server)
    limits = lab().limits.in_force
    return most if limits is None or limits.upload_megabytes is None else min(most, max(1, limits.upload_megabytes))


def switched_off() -> bool:
    """Whether the visitor may upload nothing, which is said where the field is to be drawn."""
    limits = lab().limits.in_force
    if limits is None or limits.upload_megabytes != 0:
        return False
    st.caption("🔒 The teacher has switched uploads off.")
    return True


def within_limit(uploads: Sequence[Upload]) -> Sequence[Upload]:
    """The uploads, if all together they are within what the visitor may upload.

    Raises:
        NotAllowedError: They are more.
    """
    lab().limits.check_upload(sum(upload.size for upload in uploads))
    return uploads


def _chosen() -> Sequence[Upload]:
    way = bound.choice("input", WAYS, label="Pictures from")
    off = switched_off()
    if way == "camera":
        taken = st.camera_input(
            "Take a picture",
            key="camera",
            disabled=off,
            help="Browsers offer a camera on this computer itself or over https only.",
        )
        return [taken] if taken is not None else []
    megabytes = most_megabytes(MAX_BYTES // 1_000_000)
    # No list of endings: a picture under a wrong one is still a picture, and what is none gets its own message.
    if way == "folder":
        return st.file_uploader(
            "Drop a folder here",
            accept_multiple_files="directory",
            max_upload_size=megabytes,
            disabled=off,
            key="folder",
            help=_HELP + " Sub-folders named like classes can give the true labels.",
        )
    return st.file_uploader(
        "Drop pictures here",
        accept_multiple_files=True,
        max_upload_size=megabytes,
        disabled=off,
        key="pictures",
        help=_HELP,
    )
