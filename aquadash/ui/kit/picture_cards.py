"""A dropped picture: its card with the networks' answers, its crop and its true label."""

import html
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np
import streamlit as st

from aquadash.data import images
from aquadash.data.folder.listing import class_key
from aquadash.figures.theme import shorten
from aquadash.predict import FilePrediction, Look
from aquadash.ui.kit import gallery, inputs
from aquadash.ui.kit.gallery import class_titles
from aquadash.ui.kit.image_dialog import OwnPicture
from aquadash.ui.kit.predictions import Item
from aquadash.ui.kit.text import count, named, plain
from aquadash.ui.kit.uploads import Upload

#: Width of a card in pixels by the number of runs in it.
CARD_WIDTHS = {1: 314, 2: 344, 3: 494, 4: 648}


def card_markup(
    look: Look,
    answers: Sequence[FilePrediction],
    *,
    run_names: Sequence[str],
    true_class: str | None = None,
    picture_rem: float | None = None,
    opens: str = "",
) -> str:
    """Return a picture and its answers as escaped HTML; several answers show the names of their runs."""
    shown_name = images.display_name(look.file)
    name = html.escape(shown_name)
    if look.error is not None or look.thumbnail is None or look.picture_size is None:
        # The message begins with the file's name.
        text = f'<p style="margin: 0; overflow-wrap: anywhere">🚧 {html.escape(look.error or "")}</p>'
        return f'<article class="aqua-card" role="group" aria-label="{name}">{text}</article>'
    width, height = look.picture_size
    size_text, alt = f"{width:,} × {height:,}", f"{shown_name} as it came"
    pictures = [gallery.Card(look.thumbnail, shown_name, alt, size_text, opens=opens)]
    for (rows, columns), image in look.seen.items():
        if not np.array_equal(image, look.thumbnail):
            alt = f"{shown_name}, scaled to {columns} by {rows} pixels"
            pictures.append(gallery.Card(image, "The network sees", alt, f"{columns} × {rows}", opens=opens))
    size = (9 if len(pictures) > 1 else 12) if picture_rem is None else picture_rem
    grid = gallery.markup(
        pictures, size_rem=size, columns=len(pictures), label="The picture, and what the network sees of it"
    )
    why = f'<button type="button" class="aqua-why" data-opens="{html.escape(opens)}">Why?</button>' if opens else ""
    several = len(answers) > 1
    said = "".join(
        _said(answer, run_name=run_name if several else None, true_class=true_class)
        for answer, run_name in zip(answers, run_names, strict=True)
    )
    said_once = dict.fromkeys(note for answer in answers for note in answer.notes)
    notes = "<br>".join(f'<span class="aqua-sub">{html.escape(note)}</span>' for note in said_once)
    return (
        f'<article class="aqua-card aqua-answer" role="group" aria-label="{name}">'
        f'<div style="flex: 0 1 min({len(pictures) * (size + 0.5)}rem, {50 * len(pictures)}%)">{grid}</div>'
        f'<div style="flex: 1 1 {8 * len(answers)}rem"><div class="aqua-said">{said}</div>{why}{notes}</div>'
        "</article>"
    )


def answers_summary(answers: Sequence[FilePrediction]) -> str:
    """Return the number of pictures by answer as one line of markdown."""
    texts = (
        gallery.NONE_OF_THESE if answer.none_of_these else gallery.class_text(answer.label)
        for answer in answers
        if answer.label is not None
    )
    parts = [f"{plain(text)}: {number:,}" for text, number in Counter(texts).most_common(12)]
    refused = sum(answer.label is None for answer in answers)
    if refused:
        parts.append(f"🚧 without an answer: {refused:,}")
    return " · ".join(parts)


def _said(answer: FilePrediction, *, run_name: str | None, true_class: str | None) -> str:
    """Return a network's answer as HTML: the run's name if given, the class, a bar for each class."""
    title = "" if run_name is None else f'<div class="aqua-sub">{html.escape(shorten(run_name))}</div>'
    label = "What the network says" if run_name is None else f"What {run_name} says"
    section = f'<section style="flex: 1 1 8.5rem; min-width: 0" aria-label="{html.escape(label)}">{title}'
    if answer.probabilities is None or answer.label is None:
        return f'{section}<p style="margin: 0">🚧 {html.escape(answer.error or "")}</p></section>'
    verdict, choice = f"{gallery.class_text(answer.label)}, {100 * (answer.confidence or 0.0):.0f} %", ""
    true_index = answer.class_names.index(true_class) if true_class in answer.class_names else None
    # No mark for a class that the network does not have.
    if true_index is not None or (true_class == NONE_OF_THESE and not answer.none_of_these):
        verdict += " ✔" if answer.label == true_class else " ✘"
    if answer.none_of_these:
        choice = f'<p style="margin: 0">If it had to choose: {html.escape(verdict)}</p>'
        verdict = f"{gallery.NONE_OF_THESE} ✔" if true_class == NONE_OF_THESE else gallery.NONE_OF_THESE
    bars = gallery.bars(answer.probabilities, class_names=answer.class_names, true_class=true_index)
    return f'{section}<p class="aqua-verdict">{html.escape(verdict)}</p>{choice}{gallery.bars_markup(bars)}</section>'


#: The label of a picture of no class; class names have no control characters.
NONE_OF_THESE = "\0"

#: Maximum number of classes as buttons; more become a menu.
MAX_PILLS = 8


def position_of(upload: Upload) -> float:
    """Return the place of the crop, 0 to 1, as :func:`aquadash.data.framing.fit` takes it."""
    percent: int = st.session_state.get(f"place-{upload.file_id}", 50)
    return percent / 100


def label_of(upload: Upload, class_names: Sequence[str]) -> str | None:
    """Return a picture's label: a class, :data:`NONE_OF_THESE`, or None without one."""
    label: str | None = st.session_state.get(_label_key(upload.file_id, class_names))
    return label


def _label_key(file_id: str, class_names: Sequence[str]) -> str:
    return f"true-{file_id}-{hash(frozenset(class_names))}"


def own(upload: Upload, class_names: Sequence[str] = ()) -> OwnPicture:
    """Return a picture for the dialog."""
    label = label_of(upload, class_names)
    return OwnPicture(Item(upload, position_of(upload)), None if label == NONE_OF_THESE else label)


def render_crop(upload: Upload, *, tall: bool) -> None:
    """Draw the control of the crop; ``tall`` if it moves up and down."""
    label, help = named("Crop", images.display_name(upload.name)), "Which part of this picture the network sees."
    with st.popover(label, icon=":material/crop:", help=help):
        ends = "0 is the top, 100 the bottom" if tall else "0 is the left side, 100 the right"
        inputs.slider(
            "Where the part lies",
            min_value=0,
            max_value=100,
            value=50,
            step=5,
            key=f"place-{upload.file_id}",
            persist_state="session",
            format="%d %%",
            help=f"{ends}. The arrow keys move it.",
        )


def render_label_choice(upload: Upload, class_names: Sequence[str]) -> None:
    """Draw the choice of the true label."""
    options = [*class_names, NONE_OF_THESE]
    common = {"key": _label_key(upload.file_id, class_names), "persist_state": "session"}
    text = (class_titles(class_names) | {NONE_OF_THESE: "🚫 not one of these"}).__getitem__
    question = "What is it really?"
    if len(class_names) <= MAX_PILLS:
        inputs.pills(question, options, format_func=lambda name: plain(text(name)), **common)  # type: ignore[call-overload]
    else:
        # Buttons render markdown, menus do not.
        inputs.selectbox(question, options, index=None, format_func=text, placeholder="Say what it is", **common)  # type: ignore[call-overload]


def render_folder_labels(uploads: Sequence[Upload], class_names: Sequence[str]) -> None:
    """Draw a button that labels pictures by their innermost folder, if some are named like classes in any case."""
    by_name = {name.casefold(): name for name in class_names} | {name: name for name in class_names}
    fresh = {}
    for upload in uploads:
        # An import gives the folder's class the same name.
        folder = images.display_name(class_key(PurePosixPath(upload.name.replace("\\", "/")).parent.name))
        label, key = by_name.get(folder) or by_name.get(folder.casefold()), _label_key(upload.file_id, class_names)
        if label and st.session_state.get(key) != label:
            fresh[key] = label
    if fresh:
        st.button(
            f"Take the true labels from the folders' names ({count(len(fresh), 'file')})",
            icon=":material/label:",
            key="folder-labels",
            on_click=st.session_state.update,
            args=(fresh,),
        )
