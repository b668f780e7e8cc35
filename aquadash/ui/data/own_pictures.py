"""Own pictures on the Data page: the ways in. What was read is shown next door, in ``own_pictures_draft``."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import streamlit as st

from aquadash import settings
from aquadash.data.folder import drafts
from aquadash.data.folder.reading import SIZES
from aquadash.data.images import MAX_BYTES, display_name
from aquadash.errors import DataError
from aquadash.ui import bound, inputs, shell
from aquadash.ui.data import own_pictures_draft
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import plain
from aquadash.ui.uploads import Upload, most_megabytes, switched_off

#: Most classes that are dropped one by one; more are better packed in an archive.
MOST_DROPPED = 20

#: The ways in, by the word in the address.
_WAYS = {"zip": "🗜️ A ZIP file", "classes": "🖼️ Class by class", "server": "🗄️ A folder of this server"}
_LAYOUT = (
    "One folder a class, named as the class, with its pictures inside: `cats/1.jpg`, `cats/2.jpg`, `dogs/1.jpg` … "
    "Folders `train` and `test` above them keep a split that you made yourself."
)


def is_open() -> bool:
    """Whether the address asks for an import; the page then shows nothing else."""
    return "add" in st.query_params or "draft" in st.query_params


def offer() -> None:
    """Draw the button that opens the import."""
    st.button(
        "Add own pictures",
        icon=":material/add_photo_alternate:",
        key="own-add",
        on_click=lambda: st.query_params.update({"add": "zip"}),
        help="A ZIP file with a folder a class, or pictures dropped class by class.",
    )


def show() -> None:
    """Draw the import: the form, or the draft that the address names."""
    st.button("Back to the data sets", icon=":material/arrow_back:", key="own-back", on_click=_leave)
    draft_id = st.query_params.get("draft")
    with shell.guard():
        if draft_id:
            own_pictures_draft.show(draft_id, start=start)
        else:
            _form()


def start(draft_id: str) -> None:
    """Have the draft read, and go to it."""
    lab().data.read(draft_id)
    st.query_params.from_dict({"draft": draft_id})
    st.rerun()


def _leave() -> None:
    st.query_params.clear()


def _form() -> None:
    st.subheader("Own pictures", anchor=False)
    ways = {way: title for way, title in _WAYS.items() if way != "server" or settings.import_folder()}
    # The default stays in the address: without it the page would show the data sets.
    way = bound.choice("add", ways, label="From", stated=True)
    if way == "classes":
        origin, ready, write = _dropped()
        path = ""
    elif way == "server":
        path, write = _of_server(), None
        origin, ready = display_name(Path(path).name), bool(path)
    else:
        origin, ready, write = _archive()
        path = ""
    size = inputs.select_slider(
        "Size of the pictures in pixels",
        SIZES,
        value=32,
        key="own-size",
        format_func=lambda side: f"{side} × {side}",
        help="Each picture is cut to its middle square and brought to this size. 32 trains fast and suits the networks "
        "here; ImageNet networks see more at 96 to 224. A training takes time and memory with the square of the size.",
    )
    st.caption(
        "The pictures are read and checked first; you see what was found before anything is kept. They stay on the "
        "computer that AquaDash runs on."
    )
    if st.button("Read and check", type="primary", icon="🔎", key="own-read", disabled=not ready):
        start(lab().data.begin(drafts.Request(path, origin, size), write=write))


def _archive() -> tuple[str, bool, Callable[[Path], object] | None]:
    upload = st.file_uploader(
        "Drop a ZIP file here",
        type=["zip"],
        max_upload_size=most_megabytes(),
        disabled=switched_off(),
        key="own-zip",
        help=_LAYOUT,
    )
    st.markdown(_LAYOUT)
    if not settings.classroom():
        st.caption(
            "A larger file, or a folder: `python -m aquadash data import PATH` in a terminal reads it where it is."
        )
    if upload is None:
        return "", False, None
    return display_name(upload.name), True, lambda path: path.write_bytes(upload.getvalue())


def _dropped() -> tuple[str, bool, Callable[[Path], object] | None]:
    """A name and a drop zone for each class."""
    number = st.session_state.setdefault("own-classes", 2)
    off = switched_off()
    found: list[tuple[str, Sequence[Upload]]] = []
    for index in range(number):
        with st.container(border=True):
            name = inputs.text_input(
                f"Class {index + 1}", key=f"own-class-{index}", max_chars=60, placeholder="Its name, such as “cat”"
            )
            uploads = st.file_uploader(
                f"Pictures of class {index + 1}",
                accept_multiple_files=True,
                max_upload_size=most_megabytes(MAX_BYTES // 1_000_000),
                disabled=off,
                key=f"own-pictures-{index}",
                help="PNG, JPEG, WebP, BMP or GIF; as many as you like at once.",
            )
        if uploads:
            found.append((" ".join(name.split()), uploads))
    st.button(
        "Add a class",
        icon=":material/add:",
        key="own-more",
        disabled=number >= MOST_DROPPED,
        on_click=lambda: st.session_state.update({"own-classes": number + 1}),
    )
    nameless = sum(not name for name, _ in found)
    if nameless:
        st.info("Give every class with pictures a name.", icon="✏️")
    total = sum(len(uploads) for _, uploads in found)
    return f"{total:,} dropped pictures", bool(found) and not nameless, lambda path: pack(found, path)


def pack(classes: Sequence[tuple[str, Sequence[Upload]]], path: Path) -> None:
    """Write uploads into an archive with a folder a class.

    Raises:
        DataError: A name is of nothing but dots and strokes.
        OSError: It cannot be written.
    """
    with zipfile.ZipFile(path, "x", zipfile.ZIP_STORED) as archive:
        for name, uploads in classes:
            folder = name.replace("/", "-").replace("\\", "-").lstrip(".").strip()
            if not folder.strip("-"):
                raise DataError(f"A class is called {name!r}; expected a word. Give it a name with a letter in it.")
            for number, upload in enumerate(uploads, start=1):
                base = PurePosixPath(upload.name.replace("\\", "/")).name
                # The number keeps two pictures of one name apart, and a name that begins with a dot from being hidden.
                archive.writestr(f"{folder}/{number:05d} {base}", upload.getvalue())


def _of_server() -> str:
    """The path of what somebody chose in the import folder; a name from a list, never a typed path."""
    found = server_choices()
    if not found:
        st.info("The import folder holds neither folders nor ZIP files yet.", icon="📂")
        return ""
    st.markdown(_LAYOUT)
    name = inputs.selectbox("Folder or ZIP file", list(found), key="own-server", help=term("import folder"))
    return str(found[name]) if name in found else ""


def server_choices() -> dict[str, Path]:
    """The folders and archives in ``AQUADASH_IMPORT`` by name; links, which may lead out of it, are not among them."""
    folder = settings.import_folder()
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name) if folder else []
    except OSError as error:
        st.warning(f"The import folder cannot be read ({plain(error.strerror or '')}).", icon="📂")
        return {}
    return {
        entry.name: Path(entry.path)
        for entry in entries
        if not entry.name.startswith(".")
        and (entry.is_dir(follow_symlinks=False) or (entry.is_file(follow_symlinks=False) and _is_zip(entry.name)))
    }


def _is_zip(name: str) -> bool:
    return name.casefold().endswith(".zip")
