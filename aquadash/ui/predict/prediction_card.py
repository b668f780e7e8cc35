"""A dropped picture's result as HTML: the picture, what each network sees of it, and what each says."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence

from aquadash.data import images
from aquadash.figures.theme import shorten
from aquadash.predict import FilePrediction, Look
from aquadash.ui import gallery, probabilities
from aquadash.ui.text import plain

#: Width of a result in pixels, by how many runs stand side by side in it: two on a tablet, one on a phone, where wider
#: ones take the whole width.
WIDTHS = {1: 310, 2: 310, 3: 460, 4: 620}


def markup(
    look: Look, answers: Sequence[FilePrediction], *, run_names: Sequence[str], true_class: str | None = None
) -> str:
    """A result as HTML, every text in it escaped.

    Args:
        look: The small pictures.
        answers: What each network said.
        run_names: Names of the runs, one an answer; shown if there are several.
        true_class: What the picture shows, where somebody has said so.
    """
    shown_name = images.display_name(look.file)
    name = html.escape(shown_name)
    head = f'<strong style="overflow-wrap: anywhere">{name}</strong>'
    if look.error is not None or look.thumbnail is None or look.picture_size is None:
        # The message begins with the file's name.
        text = f'<p style="margin: 0; overflow-wrap: anywhere">🚧 {html.escape(look.error or "")}</p>'
        return f'<article class="aqua-card" role="group" aria-label="{name}">{head}{text}</article>'
    width, height = look.picture_size
    pictures = [gallery.Card(look.thumbnail, f"Your picture, {width:,} × {height:,}", f"{shown_name} as it came")]
    for (rows, columns), image in look.seen.items():
        title, alt = f"The network sees {columns} × {rows}", f"{shown_name}, scaled to {columns} by {rows} pixels"
        pictures.append(gallery.Card(image, title, alt))
    grid = gallery.markup(
        pictures, size_rem=9, columns=len(pictures), label="The picture, and what the network sees of it"
    )
    several = len(answers) > 1
    said = "".join(
        _said(answer, run_name=run_name if several else None, true_class=true_class)
        for answer, run_name in zip(answers, run_names, strict=True)
    )
    notes = "<br>".join(f'<span class="aqua-sub">{html.escape(note)}</span>' for note in _notes(answers))
    return (
        f'<article class="aqua-card" role="group" aria-label="{name}" style="max-width: none">{head}{grid}'
        f'<div style="display: flex; flex-wrap: wrap; gap: 0.75rem">{said}</div>'
        f'<div style="margin-top: 0.25rem">{notes}</div></article>'
    )


def summary(answers: Sequence[FilePrediction]) -> str:
    """How many pictures got which name, as one line of markdown."""
    counts = Counter(answer.label for answer in answers if answer.label is not None)
    parts = [f"{plain(probabilities.class_text(label))}: {number:,}" for label, number in counts.most_common(12)]
    refused = sum(answer.label is None for answer in answers)
    if refused:
        parts.append(f"🚧 without an answer: {refused:,}")
    return " · ".join(parts)


def _said(answer: FilePrediction, *, run_name: str | None, true_class: str | None) -> str:
    """What one network says: the run's name where there are several, the answer, a bar a class."""
    title = "" if run_name is None else f'<div class="aqua-sub">{html.escape(shorten(run_name))}</div>'
    label = "What the network says" if run_name is None else f"What {run_name} says"
    section = f'<section style="flex: 1 1 8.5rem; min-width: 0" aria-label="{html.escape(label)}">{title}'
    if answer.probabilities is None or answer.label is None:
        return f'{section}<p style="margin: 0">🚧 {html.escape(answer.error or "")}</p></section>'
    verdict = "" if true_class is None else " ✔" if answer.label == true_class else " ✘"
    said = f"{probabilities.class_text(answer.label)}, {100 * (answer.confidence or 0.0):.0f} %{verdict}"
    true_index = answer.class_names.index(true_class) if true_class in answer.class_names else None
    bars = probabilities.bars(answer.probabilities, class_names=answer.class_names, true_class=true_index)
    return (
        f'{section}<p style="margin: 0 0 0.4rem; font-size: 1.05rem">{html.escape(said)}</p>{_badge(answer)}'
        f"{gallery.bars_markup(bars)}</section>"
    )


def _badge(answer: FilePrediction) -> str:
    """That the picture is probably of none of the classes."""
    if not answer.none_of_these:
        return ""
    return '<p style="margin: 0 0 0.4rem; font-weight: 600">🤷 Perhaps none of these</p>'


def _notes(answers: Sequence[FilePrediction]) -> list[str]:
    """What was done to the picture, each said once."""
    return list(dict.fromkeys(note for answer in answers for note in answer.notes))
