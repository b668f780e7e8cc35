"""Where the pictures come from: files, a folder or the camera."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

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
    way = bound.choice("input", WAYS, label="Pictures from")
    if way == "camera":
        taken = st.camera_input(
            "Take a picture",
            key="camera",
            disabled=switched_off(),
            help="Browsers offer a camera on this computer itself or over https only.",
        )
        return within_limit([] if taken is None else [taken])
    if way == "folder":
        more = " Sub-folders named like classes can give the true labels."
        folder = picture_field("Drop a folder here", key="folder", help=_HELP + more, accept_multiple_files="directory")
        return within_limit(folder)
    return within_limit(picture_field("Drop pictures here", key="pictures", accept_multiple_files=True))


def one(key: str) -> Upload | None:
    """Draw a field for one picture; returns the picture that is there.

    Raises:
        NotAllowedError: It is more than what the visitor may upload in this class.
    """
    picture = picture_field("Drop a picture here", key=key)
    return picture if picture is None else within_limit([picture])[0]


def picture_field(label: str, *, key: str, help: str = _HELP, **options: Any) -> Any:
    """Streamlit's field for pictures as large as the visitor may upload; ``disabled`` is asked for if not given."""
    if "disabled" not in options:
        options["disabled"] = switched_off()
    # No list of endings: a picture under a wrong one is still a picture, and what is none gets its own message.
    megabytes = most_megabytes(MAX_BYTES // 1_000_000)
    return st.file_uploader(label, max_upload_size=megabytes, key=key, help=help, **options)


def most_megabytes(most: int | None = None) -> int:
    """What one file of the visitor's may have at most, in millions of bytes: so much, or less in a class."""
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
    """The uploads, if all together they are within what the visitor may upload."""
    lab().limits.check_upload(sum(upload.size for upload in uploads))
    return uploads
