"""Home: show a network a picture, begin somewhere, go on with what there is."""

from base64 import b64encode
from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from aquadash import data
from aquadash.data import Dataset
from aquadash.lab.rights import Action
from aquadash.store.fields import validation_accuracy
from aquadash.store.first_model import ORIGIN
from aquadash.store.types import Run, RunStatus
from aquadash.ui.kit import (
    components,
    datasets,
    gallery,
    image_dialog,
    lesson_progress,
    picture_cards,
    predict_runs,
    run_lists,
    shell,
    uploads,
    warmup,
)
from aquadash.ui.kit.gallery import class_text
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import count, plain
from aquadash.walkthrough import LESSONS

#: Seconds between two redraws.
_TICK_SECONDS = 4.0

#: Number of classes with a column of images, and of images in each.
_COLUMNS, _ROWS = 5, 5

#: Title and sentence of the cards by the page that they lead to.
CARDS = {
    "data": ("Data", "See what a network learns from."),
    "augment": ("Augment", "Make many training images out of one."),
    "train": ("Train", "Watch a network learn, epoch by epoch."),
}

#: Learning curves of training and validation.
_CURVES = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 290 64" preserveAspectRatio="none">
<g fill="none" stroke-width="3"><path d="M2 60 C 40 20, 90 12, 288 4" stroke="#0072B2"/>
<path d="M2 61 C 40 30, 90 24, 288 21" stroke="#D55E00" stroke-dasharray="7 4"/></g></svg>"""


#: Caches encoded pictures for all sessions.
_by_dataset = st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=datasets.BY_CONTENT)


def _render_answer(picture: uploads.Upload | None, sample: int) -> Run | None:
    """Draw the best network's answer to a picture or a sample, and return its run."""
    if not picture and not sample:
        st.markdown("The network's answer appears here.")
        return None
    run = next(filter(run_lists.has_results, predict_runs.for_pictures()), None)
    if run is None:
        st.page_link("pages/train.py", label="There is no trained network yet: train one")
        return None
    networks = predict_runs.networks([run])
    if picture:
        predict_runs.render_answer(networks[0], picture)
    else:
        predict_runs.render_samples(networks, sample, one=True)
    return run


def _render_animals(dataset: Dataset) -> None:
    st.html(_animals(dataset))
    if dataset.name == "synthetic" and not data.is_here("cifar100") and lab().rights.allow(Action.ADD_FOR_ALL):
        label = "Get photographs instead of drawings"
        st.page_link("pages/data.py", query_params={"source": "cifar100"}, icon=":material/download:", label=label)


def _render_cards(dataset: Dataset) -> None:
    for column, (name, (title, sentence)) in zip(st.columns(3), CARDS.items(), strict=True):
        with column.container(border=True, key=f"home-card-{name}"):
            st.html(_strips(dataset)[name])
            st.page_link(f"pages/{name}.py", label=f"**{title}**")
            st.caption(sentence)


@_by_dataset
def _animals(dataset: Dataset) -> str:
    names = dataset.class_names[:_COLUMNS]
    of_class = [np.flatnonzero(dataset.train.labels == label) for label in range(len(names))]
    cards = [
        gallery.Card(
            dataset.train.images[position],
            class_text(name) if row == _ROWS - 1 else "",
            f"{name}, training image {position}",
            opens=f"train-{position}",
        )
        for row in range(_ROWS)
        for name, positions in zip(names, of_class, strict=True)
        for position in [positions[row % len(positions)]]
    ]
    return gallery.markup(cards, size_rem=6, columns=len(names), label=f"Training images of {dataset.title}")


@_by_dataset
def _strips(dataset: Dataset) -> dict[str, str]:
    pictures = {
        "data": map(gallery.data_url, dataset.train.images[-5:]),
        "augment": map(gallery.data_url, _variants(dataset.train.images[0])),
        "train": ["data:image/svg+xml;base64," + b64encode(_CURVES).decode()],
    }
    images = {name: "".join(f'<img alt="" src="{url}">' for url in urls) for name, urls in pictures.items()}
    return {name: f'<div class="aqua-strip">{inside}</div>' for name, inside in images.items()}


def _variants(image: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return an image with four changes; Augment's operators take long to import."""
    picture = Image.fromarray(image)
    changed = (
        picture,
        ImageOps.mirror(picture),
        picture.rotate(20, Image.Resampling.BILINEAR, fillcolor=(127, 127, 127)),
        ImageEnhance.Brightness(picture).enhance(1.5),
        picture.filter(ImageFilter.GaussianBlur(1.5)),
    )
    return [np.asarray(each) for each in changed]


@shell.live(_TICK_SECONDS)
def _render_progress() -> None:
    running, best, lesson = st.columns(3)
    with lesson.container(border=True, height="stretch"):
        _render_lesson()
    runs = lab().runs.all()
    with running.container(border=True, height="stretch"):
        _render_running([run for run in runs if not run.status.ended])
    with best.container(border=True, height="stretch"):
        _render_best([run for run in runs if run_lists.has_results(run) and not run.archived])


def _render_running(runs: Sequence[Run]) -> None:
    if not runs:
        components.render_metric("Running now", "0", border=False)
        st.page_link("pages/train.py", label="Train")
        return
    run = run_lists.own_first(run_lists.active_first(runs))[0]
    # In a class the visitor's own run comes first, also while it is queued.
    _render_figure("Running now" if run.status is RunStatus.RUNNING else "In the queue", run)
    run_lists.render_progress(run)
    with st.container(horizontal=True):
        st.page_link("pages/train.py", label="Watch", query_params={"run": run.run_id})
        if len(runs) > 1:
            st.caption(f"and {len(runs) - 1} more")


def _render_best(runs: Sequence[Run]) -> None:
    if not runs:
        components.render_metric("Best run", "None yet", border=False)
        return
    # Unshared imported runs come last: their metrics can be made up.
    ranked = sorted(runs, key=lambda run: (bool(run.origin) and not run.shared, -(validation_accuracy(run) or 0.0)))
    run = min(run_lists.own_first(run_lists.best_first(ranked)), key=lambda run: run.origin == ORIGIN)
    _render_figure("Best run", run)
    st.page_link("pages/evaluate.py", label="Evaluate", query_params={"run": run.run_id})


def _render_figure(label: str, run: Run) -> None:
    accuracy, before = validation_accuracy(run), "Waiting" if run.status is RunStatus.QUEUED else "Starting"
    components.render_metric(
        label,
        before if accuracy is None else f"{100 * accuracy:.0f} %",
        help=f"Validation accuracy. {term('accuracy')}",
        chart_data=run.curve if len(run.curve) > 1 else None,
        border=False,
    )
    with st.container(horizontal=True):
        st.markdown(f"**{plain(run.name)}**", width="content")
        run_lists.render_owner(run.resource)


def _render_lesson() -> None:
    solved = len(lesson_progress.read().solved)
    minutes = sum(lesson.minutes for lesson in LESSONS.values())
    components.render_metric(
        "Guided lesson", f"{solved} of {len(LESSONS)}" if solved else f"{minutes} min", border=False
    )
    st.progress(solved / len(LESSONS), text=f"{count(solved, 'question')} solved")
    st.page_link("pages/walkthrough.py", label="Go on" if solved else "Begin")


@shell.page("home")
def render() -> None:
    """Draw the page."""
    warmup.prepare_answers()
    left, right = st.columns([3, 2], gap="medium")
    with left:
        picture = uploads.one("home-picture")
        with st.container(border=True, key="home-answer"):
            place, below = st.container(), st.container(horizontal=True, vertical_alignment="center")
        with below:
            sample = 0 if picture else predict_runs.sample_number()
        if picture or sample:
            # Clear the old sentence before the network loads; the browser draws no container without an element.
            place = place.container(key="home-asked")
            place.empty()
    shown = None
    with right, shell.guard(), st.container(key="home-animals"):
        if datasets.here(datasets.current()):
            shown = datasets.dataset(datasets.current())
            _render_animals(shown)
    with shell.guard():
        _render_cards(shown or datasets.dataset(datasets.DEFAULT_SOURCE))
    _render_progress()
    by = None
    # Last, because the answer may take seconds.
    with place, shell.guard():
        if by := _render_answer(picture, sample):
            text = f"Answered by {by.name}"
            query = {"run": by.run_id} | ({"sample": str(sample)} if sample else {})
            below.page_link("pages/predict.py", label=plain(text), query_params=query, width="stretch")
    own = [picture_cards.own(picture)] if picture else []
    image_dialog.clickable(*filter(None, [by]), source=datasets.current(), own=own, as_now=True)
