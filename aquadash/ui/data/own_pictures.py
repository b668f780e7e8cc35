"""Data sets of own pictures: choose, check and keep them; a kept one's report, next step and deletion."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash import settings
from aquadash.data.folder.about import PREFIX
from aquadash.data.folder.importing import NewDataSet
from aquadash.data.folder.listing import File
from aquadash.data.folder.reading import SIZES
from aquadash.data.folder.splitting import TEST_FRACTIONS, SplitChoice
from aquadash.data.folder.types import CheckReport, Finding, Picture
from aquadash.data.images import display_name
from aquadash.errors import DataError
from aquadash.lab.rights import Action
from aquadash.ui.kit import bound, components, gallery, inputs, shell
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import count, plain
from aquadash.ui.kit.uploads import Upload, most_megabytes, picture_field, switched_off

#: Maximum number of classes dropped one by one; archives can have more.
MAX_DROPPED = 20

#: Titles of the origins by their word in the address.
_WAYS = {"zip": "🗜️ A ZIP file", "classes": "🖼️ Class by class", "server": "🗄️ A folder of this server"}
#: The chosen pictures: their title, and a path on this server, an archive's bytes or files.
_Chosen = tuple[str, Path | bytes | Sequence[File]]
_LAYOUT = (
    "One folder per class, named after it, with its pictures inside: `cats/1.jpg`, `cats/2.jpg`, `dogs/1.jpg` … "
    "Folders `train` and `test` above them keep a split that you made yourself."
)
_SIZE_HELP = (
    "Each picture is cut to its middle square and brought to this size. 32 trains fast and suits the networks here; "
    "ImageNet networks see more at 96 to 224. Twice the size takes four times the time and memory."
)


class Held:
    """A session's new data set until it is kept; another one or the end of the session discards it."""

    def __init__(self) -> None:
        #: The data set that is not kept yet.
        self.new: NewDataSet | None = None
        #: The data source of the data set, once it is kept.
        self.source = ""
        self._ended = False

    def put(self, new: NewDataSet) -> None:
        """Hold a new data set."""
        self.discard()
        self.new, self.source = new, ""
        # The session may have ended in another thread.
        if self._ended:
            self.discard()

    def discard(self) -> None:
        """Discard the data set unless it was kept."""
        if self.new is not None:
            self.new.discard()
        self.new = None

    def end(self) -> None:
        """End the session: hold nothing from now on."""
        self._ended = True
        self.discard()


# A cache, because session state outlives a closed tab (STREAMLIT.md, "Caches").
@st.cache_resource(scope="session", on_release=Held.end, show_spinner=False)
def held() -> Held:
    """Return the session's data set."""
    return Held()


def render_button() -> None:
    """Draw the button that opens the import."""
    st.button(
        "Add own pictures",
        icon=":material/add_photo_alternate:",
        key="own-add",
        on_click=lambda: st.query_params.update({"add": "zip"}),
        help="A ZIP file with a folder for each class, or pictures dropped class by class.",
    )


def render_import() -> None:
    """Draw the import: the form and the data set that was read."""
    st.button("Back to the data sets", icon=":material/arrow_back:", key="own-back", on_click=st.query_params.clear)
    st.subheader("Own pictures", anchor=False)
    shell.render_failure()
    with shell.guard():
        _form()
        hold = held()
        if hold.new is not None:
            _result(hold, hold.new)


def _form() -> None:
    may_read = settings.import_folder() is not None and lab().rights.allow(Action.READ_FOLDER)
    ways = {way: title for way, title in _WAYS.items() if way != "server" or may_read}
    # The default stays in the address: without it the page would show the data sets.
    way = bound.choice("add", ways, label="From", omitted="")
    chosen = {"zip": _archive, "classes": _dropped, "server": _of_server}[way]()
    size = inputs.select_slider(
        "Size of the pictures in pixels", SIZES, 32, "{0} × {0}".format, key="own-size", help=_SIZE_HELP
    )
    split = _split()
    st.caption(
        "AquaDash checks the pictures first and keeps nothing before you confirm. They stay on the computer that "
        "AquaDash runs on."
    )
    read = st.button("Read and check", type="primary", icon="🔎", key="own-read", disabled=chosen is None)
    if not read or chosen is None:
        return
    hold = held()
    hold.discard()
    running = st.empty()
    with running.container(horizontal=True, vertical_alignment="center"):
        show = components.render_work_progress()
        # Any click ends the script at its next report of progress.
        st.button("Stop", icon="✋", key="own-stop", help="Nothing is kept.")
    try:
        origin, source = chosen
        hold.put(lab().data.read(source, origin=origin, size=size, split=split, progress=show))
    finally:
        running.empty()


def _split() -> SplitChoice:
    low, high = (round(100 * end) for end in TEST_FRACTIONS)
    drop_help = (
        "Otherwise the test asks for pictures that the network knows by heart. When AquaDash draws the test images, "
        "pictures that look alike stay on one side anyway."
    )
    with st.expander("Training and test images", icon="✂️", key="own-split"):
        percent = inputs.slider("Kept for the test, %", low, high, 20, 5, key="own-fraction", help=term("test set"))
        seed = inputs.number_input("Seed", 0, 2**32 - 1, step=1, key="own-seed", help=term("seed"))
        keep = inputs.toggle("Keep a split into folders train and test", True, key="own-given", help=term("split"))
        title = "Leave out training pictures that look like a test picture"
        drop = inputs.toggle(title, True, key="own-leaks", disabled=not keep, help=drop_help)
    return SplitChoice(percent / 100, int(seed), use_given=keep, drop_leaks=drop)


def _archive() -> _Chosen | None:
    size, off = most_megabytes(), switched_off()
    upload = st.file_uploader(
        "Drop a ZIP file here", "zip", max_upload_size=size, disabled=off, key="own-zip", help=_LAYOUT
    )
    st.markdown(_LAYOUT)
    if not settings.classroom():
        st.caption(
            "A larger file, or a folder: `.venv/bin/python -m aquadash data import PATH` in a terminal reads it where "
            "it is."
        )
    return None if upload is None else (display_name(upload.name), upload.getvalue())


def _dropped() -> _Chosen | None:
    """Draw a name and a drop zone for each class; return the pictures once all have names."""
    number = st.session_state.setdefault("own-classes", 2)
    classes: list[tuple[str, Sequence[Upload]]] = []
    for index in range(number):
        with st.container(border=True):
            name = inputs.text_input(
                f"Class {index + 1}", key=f"own-class-{index}", max_chars=60, placeholder="Its name, such as “cat”"
            )
            uploads = picture_field(
                f"Pictures of class {index + 1}",
                key=f"own-pictures-{index}",
                accept_multiple_files=True,
                disabled=switched_off(),
                help="PNG, JPEG, WebP, BMP or GIF; as many as you like at once.",
            )
        if uploads:
            classes.append((" ".join(name.split()), uploads))
    st.button(
        "Add a class",
        icon=":material/add:",
        key="own-more",
        disabled=number >= MAX_DROPPED,
        on_click=lambda: st.session_state.update({"own-classes": number + 1}),
    )
    if not all(name for name, _ in classes):
        st.info("Give every class with pictures a name.", icon="✏️")
    elif classes:
        total = sum(len(uploads) for _, uploads in classes)
        return f"{total:,} dropped pictures", [file for name, uploads in classes for file in files(name, uploads)]
    return None


def files(name: str, uploads: Sequence[Upload]) -> list[File]:
    """Return a class's uploads as files in its folder; refuse a name without letters."""
    folder = name.replace("/", "-").replace("\\", "-").lstrip(".").strip()
    if not folder.strip("-"):
        raise DataError(f"A class is called {name!r}; expected a word. Give it a name with a letter in it.")
    # The number separates pictures of one name, and keeps a name that begins with a dot visible.
    return [
        File((folder, f"{number:05d} {PurePosixPath(upload.name).name}"), upload.getvalue)
        for number, upload in enumerate(uploads, start=1)
    ]


def _of_server() -> _Chosen | None:
    """Draw the menu of the import folder; only listed names can be chosen."""
    choices = server_choices()
    if not choices:
        st.info("The import folder holds neither folders nor ZIP files yet.", icon="📂")
        return None
    st.markdown(_LAYOUT)
    name = inputs.selectbox("Folder or ZIP file", list(choices), key="own-server", help=term("import folder"))
    return (display_name(name), choices[name]) if name in choices else None


def server_choices() -> dict[str, Path]:
    """Return folders and archives in ``AQUADASH_IMPORT`` by name; no links, which may lead elsewhere."""
    folder = settings.import_folder()
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name) if folder else []
    except OSError as error:
        st.warning(f"The import folder cannot be read ({plain(error.strerror or '')}).", icon="📂")
        return {}
    choices = {}
    for entry in entries:
        is_archive = entry.is_file(follow_symlinks=False) and entry.name.casefold().endswith(".zip")
        if not entry.name.startswith(".") and (is_archive or entry.is_dir(follow_symlinks=False)):
            choices[entry.name] = Path(entry.path)
    return choices


def _result(hold: Held, new: NewDataSet) -> None:
    report = new.report
    numbers = {
        "Pictures read": f"{len(new.pictures):,}",
        "Not readable": f"{len(new.refused):,}",
        "Classes": f"{len(report.class_names):,}",
        "Size in pixels": f"{report.size} × {report.size}",
    }
    with st.container(horizontal=True):
        for label, number in numbers.items():
            st.metric(label, number, width="content", border=True)
    render_report(report, new.examples, new.pictures)
    left_out = []
    if copies := new.division.copies:
        left_out.append(count(copies, "exact copy", "exact copies"))
    if leaks := new.division.leaks:
        left_out.append(f"{count(leaks, 'training picture')} that the test holds")
    sizes = f"**{count(new.about.train, 'training image')}, {count(new.about.test, 'test image')}.**"
    st.markdown(f"{sizes} Left out: {', '.join(left_out)}." if left_out else sizes)
    origin = new.about.origin
    stem = (origin.rpartition(".")[0] or origin)[:60]
    title = inputs.text_input("Name of the data set", stem, max_chars=60, key=f"own-title-{origin}")
    with st.container(horizontal=True):
        help = None if report.usable else "Fix the problem above first."
        shell.render_attempt_button(
            "Use it", _keep, title, type="primary", icon="✅", key="own-use", disabled=not report.usable, help=help
        )
        st.button(
            "Discard", icon=":material/delete:", key="own-discard", help="Nothing is kept.", on_click=hold.discard
        )


def _keep(title: str) -> None:
    hold = held()
    if hold.new is not None:  # Otherwise the first click of a double click has kept it.
        hold.source = lab().data.keep(hold.new, title=title).source
        hold.new = None
    if not hold.source:
        raise DataError("These pictures are gone because the connection was lost. Read them again.")
    st.session_state[_KEPT] = hold.source
    st.query_params.from_dict({"source": hold.source})


#: Key of the data set that was just kept.
_KEPT = "own:kept"


def render_own_set(source: str) -> None:
    """Draw the parts for a data set of own pictures; nothing for any other."""
    if not source.startswith(PREFIX):
        return
    kept = lab().data.own(source)
    if st.session_state.pop(_KEPT, None) == source:
        st.success(f"“{plain(kept.title)}” is ready. Every page can work with it.", icon="✅")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            "pages/train.py", label="Train on it", icon=":material/arrow_forward:", query_params={"source": source}
        )
        if st.button("Delete", icon=":material/delete:", key="own-delete"):
            components.ask_to_delete(
                kept.title,
                "Runs that were trained on these pictures keep their results. Their pictures can no longer be shown.",
                key="own-delete",
                delete=partial(_delete, source),
            )
    with st.expander("What the check found", icon="🔎", key="own-report", on_change="rerun") as box:
        if box.open:
            with shell.guard():
                report, _ = lab().data.report(source)
                render_report(report)


@shell.guard()
def _delete(source: str) -> None:
    if source in lab().data.sources():  # Otherwise the first click of a double click has deleted it.
        lab().data.delete(source)
    st.query_params.clear()
    st.session_state.pop("source", None)


#: Icon and word of each severity: colour alone would not be accessible.
FINDING_SIGNS = {"problem": ("⛔", "Problem"), "warning": ("⚠️", "Warning"), "note": ("ℹ️", "Note")}


def render_report(
    report: CheckReport, images: Mapping[int, NDArray[np.uint8]] | None = None, pictures: Sequence[Picture] = ()
) -> None:
    """Draw the findings, the most severe first."""
    if not report.findings:
        st.success("Nothing is wrong with these pictures.", icon="✅")
        return
    parts = [
        count(len(findings), word.lower())
        for severity, (_, word) in FINDING_SIGNS.items()
        if (findings := report.of_severity(severity))  # type: ignore[arg-type]
    ]
    st.markdown(f"**The check found {', '.join(parts)}.**")
    for number, finding in enumerate(report.findings):
        icon, word = FINDING_SIGNS[finding.severity]
        title, is_open = f"{word}: {plain(finding.title)}", finding.severity != "note"
        with st.expander(title, icon=icon, expanded=is_open, key=f"own-found-{number}"):
            _finding(finding, report, images, pictures)


def _finding(
    finding: Finding, report: CheckReport, images: Mapping[int, NDArray[np.uint8]] | None, pictures: Sequence[Picture]
) -> None:
    st.markdown(plain(finding.advice))
    if finding.names:
        st.markdown("\n".join(f"- {plain(name)}" for name in finding.names[:12]))
        if finding.count > 12 and len(finding.names) >= 12:
            with st.popover(f"More of the {finding.count:,}"):
                st.markdown("\n".join(f"- {plain(name)}" for name in finding.names[12:]) or "No more are named.")
    if finding.rows and images is not None:
        cards = [_card(row, report, images, pictures) for row in finding.rows]
        gallery.render_cards(cards, size_rem=5, label=finding.title)
        if finding.count > len(finding.rows):
            st.caption("Only the first are shown.")


def _card(
    row: int, report: CheckReport, images: Mapping[int, NDArray[np.uint8]], pictures: Sequence[Picture]
) -> gallery.Card:
    picture = pictures[row]
    name = report.class_names[picture.label]
    part = "" if picture.part is None else f"{'test' if picture.part == 'test' else 'training'}, "
    alt = f"{name}: {picture.name}, {picture.width} by {picture.height} pixels"
    subtitle = f"{picture.name} ({part}{picture.width} × {picture.height})"
    return gallery.class_card(images[row], name, picture.label, alt, subtitle)
