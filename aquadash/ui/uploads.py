"""Fields for pictures: files, a folder or the camera."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import streamlit as st

from aquadash.data.images import MAX_BYTES
from aquadash.ui import bound
from aquadash.ui.lab import lab

#: Titles of the origins by their word in the address.
WAYS = {"files": "🖼️ Pictures", "folder": "📁 Folder", "camera": "📸 Camera"}

_HELP = (
    f"PNG, JPEG, WebP, BMP or GIF, at most {MAX_BYTES // 1_000_000} MB each. They stay on the computer that "
    "AquaDash runs on."
)


class Upload(Protocol):
    """An uploaded file of Streamlit; every upload has a new id."""

    file_id: str
    name: str
    size: int

    def getvalue(self) -> bytes:
        """Return the file's bytes."""


def chosen() -> Sequence[Upload]:
    """Draw the choice of the origin and its field; return the pictures within the class's limit."""
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
    """Draw a field for one picture, which must be within the class's limit."""
    picture = picture_field("Drop a picture here", key=key)
    return picture if picture is None else within_limit([picture])[0]


def picture_field(label: str, *, key: str, help: str = _HELP, **options: Any) -> Any:
    """Draw Streamlit's field for pictures of the size that the visitor may upload."""
    if "disabled" not in options:
        options["disabled"] = switched_off()
    # No list of endings: the content decides, and other files get a message of their own.
    megabytes = most_megabytes(MAX_BYTES // 1_000_000)
    return st.file_uploader(label, max_upload_size=megabytes, key=key, help=help, **options)


def most_megabytes(most: int | None = None) -> int:
    """Return the maximum size of an upload in megabytes: ``most``, or less in a class."""
    server = int(st.get_option("server.maxUploadSize"))
    most = server if most is None else min(most, server)
    limits = lab().limits.in_force
    return most if limits is None or limits.upload_megabytes is None else min(most, max(1, limits.upload_megabytes))


def switched_off() -> bool:
    """Return whether the visitor may upload nothing, and draw that."""
    limits = lab().limits.in_force
    if limits is None or limits.upload_megabytes != 0:
        return False
    st.caption("🔒 The teacher has switched uploads off.")
    return True


def within_limit(uploads: Sequence[Upload]) -> Sequence[Upload]:
    """Return the uploads; refuse those beyond the visitor's limit."""
    lab().limits.check_upload(sum(upload.size for upload in uploads))
    return uploads
