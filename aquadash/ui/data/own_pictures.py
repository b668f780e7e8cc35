"""Adding a data set of one's own pictures: the upload, what was found in it, how it is divided, and keeping it."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import streamlit as st

from aquadash import settings
from aquadash.data.folder import drafts
from aquadash.data.folder.drafts import Draft
from aquadash.data.folder.reading import SIZES
from aquadash.data.folder.splitting import TEST_FRACTIONS, Division, SplitChoice
from aquadash.data.images import display_name
from aquadash.errors import AquaDashError, DataError
from aquadash.figures.class_counts import class_counts
from aquadash.jobs import Job
from aquadash.jobs.types import job_id
from aquadash.lab.rights import Action
from aquadash.ui import bound, components, inputs, job_panel, shell
from aquadash.ui.data import own_pictures_set
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import count, plain
from aquadash.ui.uploads import Upload, most_megabytes, picture_field, switched_off

#: Most classes that are dropped one by one; more are better packed in an archive.
MAX_DROPPED = 20

#: The ways in, by the word in the address.
_WAYS = {"zip": "🗜️ A ZIP file", "classes": "🖼️ Class by class", "server": "🗄️ A folder of this server"}
#: What somebody has given: what it is called, its path on this server, and what writes it into a file if it has none.
_Given = tuple[str, str, Callable[[Path], object] | None]
#: In the session: what the address of a draft that is gone leads on to. The second click of a double click ends the
#: script of the first where that next draws something or reads the session, and asks for the draft once more.
_WENT_ON = "own:went-on"
#: In the session: what a form held whose pictures are read again, by the new draft. Streamlit forgets it meanwhile.
_FILLED = "own:filled"
_FIELDS = ("own-title-{}", "own-split", "own-leaks", "own-fraction", "own-seed")
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


def add_pictures() -> None:
    """Draw the import: the form, or the draft that the address names."""
    draft_id = st.query_params.get("draft")
    if there := st.session_state.get(_WENT_ON, {}).get(draft_id):
        st.session_state[own_pictures_set.KEPT] = there.get("source")
        st.query_params.from_dict(there)
        st.rerun()
    st.button("Back to the data sets", icon=":material/arrow_back:", key="own-back", on_click=st.query_params.clear)
    with shell.guard():
        if draft_id:
            render_draft(draft_id)
        else:
            _upload_form()


def _read_again(draft_id: str, size: int) -> None:
    data, went_on = lab().data, st.session_state.setdefault(_WENT_ON, {})
    filled = st.session_state.setdefault(_FILLED, {})
    if draft_id not in went_on:
        keys = {field: field.format(draft_id) for field in _FIELDS}
        held = {field: st.session_state[key] for field, key in keys.items() if key in st.session_state}
        # It holds the mapped file of its pictures, which could otherwise not leave the disk.
        _opened.clear(draft_id)
        new = data.begin_again(draft_id, size=size)
        filled[new], went_on[draft_id] = filled.get(draft_id, {}) | held, {"draft": new}
        data.read(new)
    st.rerun()


def _upload_form() -> None:
    st.subheader("Own pictures", anchor=False)
    may_read = settings.import_folder() is not None and lab().rights.allow(Action.READ_FOLDER)
    ways = {way: title for way, title in _WAYS.items() if way != "server" or may_read}
    # The default stays in the address: without it the page would show the data sets.
    way = bound.choice("add", ways, label="From", stated=True)
    given = {"zip": _archive, "classes": _dropped, "server": _of_server}[way]()
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
    if st.button("Read and check", type="primary", icon="🔎", key="own-read", disabled=given is None) and given:
        data, (origin, path, write) = lab().data, given

        def begin() -> str:
            new = data.begin(drafts.Request(path, origin, size), write=write)
            data.read(new)
            return new

        st.query_params.from_dict({"draft": shell.launch_once("own:begun", begin)})
        st.rerun()


def _archive() -> _Given | None:
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
            "A larger file, or a folder: `.venv/bin/python -m aquadash data import PATH` in a terminal reads it where "
            "it is."
        )
    if upload is None:
        return None
    return display_name(upload.name), "", lambda path: path.write_bytes(upload.getvalue())


def _dropped() -> _Given | None:
    """A name and a drop zone for each class."""
    number = st.session_state.setdefault("own-classes", 2)
    off = switched_off()
    found: list[tuple[str, Sequence[Upload]]] = []
    for index in range(number):
        with st.container(border=True):
            name = inputs.text_input(
                f"Class {index + 1}", key=f"own-class-{index}", max_chars=60, placeholder="Its name, such as “cat”"
            )
            uploads = picture_field(
                f"Pictures of class {index + 1}",
                key=f"own-pictures-{index}",
                accept_multiple_files=True,
                disabled=off,
                help="PNG, JPEG, WebP, BMP or GIF; as many as you like at once.",
            )
        if uploads:
            found.append((" ".join(name.split()), uploads))
    st.button(
        "Add a class",
        icon=":material/add:",
        key="own-more",
        disabled=number >= MAX_DROPPED,
        on_click=lambda: st.session_state.update({"own-classes": number + 1}),
    )
    if not all(name for name, _ in found):
        st.info("Give every class with pictures a name.", icon="✏️")
    elif found:
        total = sum(len(uploads) for _, uploads in found)
        return f"{total:,} dropped pictures", "", lambda path: pack(found, path)
    return None


def pack(classes: Sequence[tuple[str, Sequence[Upload]]], path: Path) -> None:
    """Write uploads into an archive with a folder a class.

    Raises:
        DataError: A name is of nothing but dots and strokes.
        OSError: It cannot be written.
    """
    with zipfile.ZipFile(path, "x", zipfile.ZIP_STORED) as archive:
        for name, uploads in classes:
            folder = name.replace("/", "-").replace("\\", "-").lstrip(".").strip()
            # Otherwise it would be read as the letter of a drive.
            folder = re.sub("^([A-Za-z]):$", r"\1", folder)
            if not folder.strip("-"):
                raise DataError(f"A class is called {name!r}; expected a word. Give it a name with a letter in it.")
            for number, upload in enumerate(uploads, start=1):
                base = PurePosixPath(upload.name.replace("\\", "/")).name
                # The number keeps two pictures of one name apart, and a name that begins with a dot from being hidden.
                archive.writestr(f"{folder}/{number:05d} {base}", upload.getvalue())


def _of_server() -> _Given | None:
    """What somebody chose in the import folder: a name from a list, never a typed path."""
    found = server_choices()
    if not found:
        st.info("The import folder holds neither folders nor ZIP files yet.", icon="📂")
        return None
    st.markdown(_LAYOUT)
    name = inputs.selectbox("Folder or ZIP file", list(found), key="own-server", help=term("import folder"))
    return (display_name(name), str(found[name]), None) if name in found else None


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
        and (
            entry.is_dir(follow_symlinks=False)
            or (entry.is_file(follow_symlinks=False) and entry.name.casefold().endswith(".zip"))
        )
    }


def render_draft(draft_id: str) -> None:
    """Draw a draft: the reading of it, and then what was found and how it is to be divided."""
    st.subheader("Own pictures", anchor=False)
    if lab().data.is_read(draft_id):
        _draft_form(draft_id)
    else:
        # Not looked up below: the second click of a double click comes when the draft is gone.
        size = drafts.request_of(draft_id).size
        job_panel.follow(job_id(drafts.KIND, draft_id), lambda job: _reading(draft_id, size, job))


def _reading(draft_id: str, size: int, job: Job | None) -> None:
    if job is not None and not job.status.ended:
        job_panel.show(job, key="own", stop_help="Nothing is kept.")
        st.caption("It goes on if you leave this page; the address leads back to it.")
    else:
        if job is not None:
            job_panel.show_end(job, did="read the pictures", kept="Nothing was kept.")
        chosen = inputs.select_slider("Size in pixels", SIZES, value=size, key=f"own-size-{draft_id}", width=400)
        with st.container(horizontal=True):
            if st.button("Try again", icon="🔁", key="own-again"):
                _read_again(draft_id, chosen)
            if st.button("Discard", icon=":material/delete:", key="own-discard"):
                _discard(draft_id)
                st.rerun(scope="app")


def _draft_form(draft_id: str) -> None:
    filled = st.session_state.get(_FILLED, {})
    for field, value in filled.get(draft_id, {}).items():
        st.session_state.setdefault(field.format(draft_id), value)
    filled.pop(draft_id, None)
    draft = _opened(draft_id)
    report = draft.report
    size = report.size
    with st.container(horizontal=True):
        st.metric("Pictures read", f"{len(draft.pictures):,}", width="content", border=True)
        st.metric("Not readable", f"{len(draft.refused):,}", width="content", border=True)
        st.metric("Classes", len(report.class_names), width="content", border=True)
        st.metric("Size in pixels", f"{size} × {size}", width="content", border=True)
    own_pictures_set.render_report(report, draft.images, draft.pictures)
    with st.popover("Read again at another size", icon="📐"):
        other = inputs.select_slider("Size in pixels", SIZES, value=size, key=f"own-other-{draft_id}")
        if st.button("Read again", key="own-resize", disabled=other == size):
            _read_again(draft_id, other)
    st.subheader("What is kept for the test?", anchor=False, help=term("test set"))
    with st.container(border=True):
        division, choice = _split(draft)
    title = inputs.text_input(
        "Name of the data set", value=draft.request.origin.rpartition(".")[0][:60] or draft.request.origin[:60],
        max_chars=60, key=f"own-title-{draft_id}",
    )  # fmt: skip
    with st.container(horizontal=True):
        use = st.button(
            "Use it",
            type="primary",
            icon="✅",
            key="own-use",
            disabled=not report.usable or division is None,
            help=None if report.usable else "A problem has to be mended first; see above.",
        )
        if st.button("Discard", icon=":material/delete:", key="own-discard", help="Nothing is kept."):
            _discard(draft_id)
            st.rerun()
    if use:
        with shell.guard(), st.spinner("Keeping the pictures ..."):
            data, went_on = lab().data, st.session_state.setdefault(_WENT_ON, {})
            went_on[draft_id] = {"source": data.keep(draft, choice, title=title).source}
            _opened.clear(draft_id)
            data.discard(draft_id)
            st.rerun()


def _split(draft: Draft) -> tuple[Division | None, SplitChoice]:
    """The controls of the split and what it comes to; None where it cannot be made."""
    choice = _split_choice(draft)
    try:
        division = draft.divide(choice)
    except AquaDashError as error:
        shell.show_error(error)
        return None, choice
    labels = np.array([picture.label for picture in draft.pictures], dtype=np.int64)
    names = draft.report.class_names
    counts = {
        title: np.bincount(labels[rows], minlength=len(names)).tolist()
        for title, rows in (("Training", division.train), ("Test", division.test))
    }
    out = [
        count(number, one, many)
        for number, one, many in (
            (division.copies, "exact copy", "exact copies"),
            (division.leaks, "training picture that the test holds", "training pictures that the test holds"),
        )
        if number
    ]
    aside = f" Left out: {', '.join(out)}." if out else ""
    st.markdown(
        f"**{count(len(division.train), 'training image')}, {count(len(division.test), 'test image')}.**{aside}"
    )
    components.plot(class_counts(counts, class_names=names), key="own-counts")
    return division, choice


def _split_choice(draft: Draft) -> SplitChoice:
    if draft.report.given is not None:
        words = {"given": "As sorted into train and test", "drawn": "Drawn at random"}
        chosen = inputs.segmented_control(
            "Split",
            list(words),
            default="given",
            required=True,
            key="own-split",
            format_func=words.__getitem__,
            help=term("split"),
        )
        if chosen == "given":
            drop = inputs.toggle(
                "Leave out training pictures that look like a test picture",
                value=True,
                key="own-leaks",
                help="Otherwise the test asks for what was learnt by heart.",
            )
            return SplitChoice(drop_leaks=drop)
    low, high = TEST_FRACTIONS
    percent = inputs.slider("Kept for the test, %", round(100 * low), round(100 * high), 20, 5, key="own-fraction")
    seed = inputs.number_input("Seed", min_value=0, max_value=2**32 - 1, step=1, key="own-seed", help=term("seed"))
    return SplitChoice(percent / 100, int(seed), use_given=False)


def _discard(draft_id: str) -> None:
    # First, where a second click may still come in between.
    st.query_params.clear()
    _opened.clear(draft_id)
    lab().data.discard(draft_id)


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(draft_id: str) -> Draft:
    """Ask for the draft's reading first: that refuses whoever did not begin it."""
    return lab().data.draft(draft_id)
