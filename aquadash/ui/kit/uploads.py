"""Fields for pictures: files, a folder or the camera."""

from collections.abc import Sequence
from typing import Any, Protocol

import streamlit as st

from aquadash.data.images import MAX_BYTES, display_name
from aquadash.ui.kit import bound
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import count, plain

#: Path of Streamlit's uploads.
PATH = "/_stcore/upload_file/"

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
    """Draw the choice of the origin and its field; return the kept pictures within the class's limit."""
    way = bound.choice("input", WAYS, label="Pictures from")
    key = "pictures" if way == "files" else way
    options: dict[str, Any] = {"key": key, "on_change": _keep, "args": (key,)}
    if way == "camera":
        help = "Browsers offer a camera on this computer itself or over https only."
        return _kept(st.camera_input("Take a picture", disabled=switched_off(), help=help, **options))
    if way == "folder":
        options["help"] = f"{_HELP} Sub-folders named like classes can give the true labels."
        return _kept(picture_field("Drop a folder here", accept_multiple_files="directory", **options))
    return _kept(picture_field("Drop pictures here", accept_multiple_files=True, **options))


def one(key: str) -> Upload | None:
    """Draw a field for one picture, and return the first kept picture, which must be within the class's limit."""
    return next(iter(_kept(picture_field("Drop a picture here", key=key, on_change=_keep, args=(key,)))), None)


#: The pictures in the session: Streamlit empties a field when its page is left.
_KEPT = "pictures kept"


def _keep(key: str) -> None:
    held = st.session_state[key]
    st.session_state[_KEPT] = held if isinstance(held, list) else [held] if held else []


def _kept(in_field: object) -> Sequence[Upload]:
    """Return the kept pictures; draw a button that removes them if their field is empty."""
    kept: list[Upload] = st.session_state.get(_KEPT, [])
    if kept and not in_field:
        label = f"Remove {plain(display_name(kept[0].name)) if len(kept) == 1 else count(len(kept), 'picture')}"
        st.button(label, icon=":material/close:", type="tertiary", key="remove-kept", on_click=kept.clear)
    return within_limit(kept)


def picture_field(label: str, *, key: str, help: str = _HELP, **options: Any) -> Any:
    """Draw Streamlit's field for pictures of the size that the visitor may upload."""
    if "disabled" not in options:
        options["disabled"] = switched_off()
    # Allow all file endings: the content decides whether a file is a picture, and other files get a message.
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
