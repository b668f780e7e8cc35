"""The dialog of an image, opened by a card or a link: large, with its class, a network's answer and explanation.

A card opens the image of its ``opens``, on pages that call :func:`clickable` after their last gallery. The address
has the open image under :data:`KEY`, unless it is the visitor's own picture.
"""

import html
import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from cachetools import LRUCache, cached
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from aquadash.data import Dataset
from aquadash.data.framing import fit
from aquadash.data.images import display_name
from aquadash.errors import DataError, ImageError
from aquadash.explain.nearest import nearest
from aquadash.pages import ME
from aquadash.predict import answered
from aquadash.store.types import Predictions, Run
from aquadash.ui.kit import address, components, datasets, explanations, gallery, inputs, run_lists, shell
from aquadash.ui.kit.address import Codec
from aquadash.ui.kit.gallery import class_text
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.predictions import Item, closer, predictor
from aquadash.ui.kit.text import plain

#: The name in the address.
KEY = "open"

#: Width of the image in pixels, about.
_WIDTH = 288

#: Width of the dialog in pixels: answer, maps and nearest images fit on one small screen.
_DIALOG_WIDTH = 960

_NEAREST = 6

_MAX_BARS = 12

#: Limit of the cached features of training images: 2,500 images with 256 features take 3 MB. Larger ones are not made.
_MAX_BYTES = 200_000_000

_SPLITS = {"train": "Training", "test": "Test"}

#: An invisible component that sends the name of a clicked card. Previous and Next of the dialog, and the arrow keys,
#: send the name of the card before or after the opened one.
_CARDS = st.components.v2.component(
    "aquadash.cards",
    js="""
const stops = new WeakMap();
export default function ({ parentElement, setTriggerValue }) {
  stops.get(parentElement)?.abort();
  const stop = new AbortController();
  stops.set(parentElement, stop);
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button[data-opens], button[data-step]");
    if (!button) return;
    if (!button.dataset.step) return setTriggerValue("clicked", button.dataset.opens);
    const cards = [...document.querySelectorAll("button[data-opens]")].filter((card) => !card.closest("[role=dialog]"));
    const names = [...new Set(cards.map((card) => card.dataset.opens))];
    const next = names.indexOf(button.dataset.of) + Number(button.dataset.step) + names.length;
    if (names.length) setTriggerValue("clicked", names[next % names.length]);
  }, { signal: stop.signal });
  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const isTaken = event.altKey || event.ctrlKey || event.metaKey
      || event.target.closest("input, [role=radiogroup], [role=slider]");
    if (step && !isTaken) document.querySelector(`button[data-step="${step}"]`)?.click();
  }, { signal: stop.signal });
  return () => stop.abort();
}
""",
)


_STEPS = (
    '<div class="aqua-steps"><button type="button" data-step="-1" data-of="{0}">◀ Previous</button>'
    '<button type="button" data-step="1" data-of="{0}">Next ▶</button></div>'
)


def image_name(text: object) -> str:
    """Return an image's name in addresses: its split and its position there, as in ``"test-12"``."""
    match = re.fullmatch(r"(train|test)-(\d{1,7})", text, re.ASCII) if isinstance(text, str) else None
    if match is None:
        raise ValueError(text)
    return f"{match[1]}-{int(match[2])}"


#: The opened image; the picture of a visitor has no text in the address.
_OPENED = Codec[str](
    "an image of the data set, such as test-12",
    image_name,
    lambda opened: opened if opened.partition("-")[0] in _SPLITS else "",
    str,
)


@dataclass(frozen=True, eq=False)
class OwnPicture:
    """A picture of the visitor, which has no address, with its true class if that is known."""

    item: Item
    label: str | None = None

    @property
    def opens(self) -> str:
        """The name of its card."""
        return f"own-{self.item.upload.file_id}"


@dataclass(frozen=True, eq=False)
class _Shown:
    """The content of the dialog before a network answers."""

    image: NDArray[np.uint8]
    alt: str
    caption: str
    #: Name of its class, if known.
    label: str | None
    #: The image as the run's network sees it, uint8.
    seen: NDArray[np.uint8]
    #: Stored answer of the run; None where the network has to answer.
    y_prob: NDArray[np.floating] | None = None
    #: Training data of the run; None where they are not on this computer.
    learned: Dataset | None = None
    #: Its position among the training images, if it is one.
    itself: Sequence[int] = ()
    #: Whether the detector takes it for none of the classes.
    none_of_these: bool = False


@shell.live(None)
def clickable(*runs: Run, source: str = "", own: Sequence[OwnPicture] = (), as_now: bool = False) -> None:
    """Let this page's cards open, and open the image of the address.

    Args:
        runs: Runs whose answers can be shown; without any, the best one of the data set.
        source: The data set; by default that of the first run.
        own: Pictures of the visitor that can be opened.
        as_now: Show the data set as it is now, also where the run has learned from other images of that name.
    """
    pictures = {picture.opens: picture for picture in own}
    clicked = _CARDS(key="cards", height=1, on_clicked_change=lambda: None).clicked
    with suppress(ValueError):  # Nothing was clicked.
        address.assign(KEY, clicked if clicked in pictures else image_name(clicked))
    opened = address.sync(KEY, _OPENED, default="")
    split, _, position = opened.partition("-")
    if split in _SPLITS:
        title = f"{_SPLITS[split]} image {position}"
    elif opened in pictures:
        title = plain(display_name(pictures[opened].item.upload.name))
    else:
        return
    render = st.dialog(title, width=_DIALOG_WIDTH, on_dismiss=partial(address.assign, KEY, ""))(_render)
    render(opened, runs, source or runs[0].config.data.source, pictures, as_now)


def _render(opened: str, runs: Sequence[Run], source: str, own: Mapping[str, OwnPicture], as_now: bool) -> None:
    with shell.guard():
        run = _choose(runs) if runs else best_run(source)
        if opened not in own:
            shown = _of_data_set(opened, run, source, as_now)
        elif run is not None:
            shown = _of_own(own[opened], run)
        else:
            return
        left, right = st.columns([1, 2], gap="medium")
        with left:
            _large(shown.image, shown.alt)
            st.caption(plain(shown.caption))
            with st.container(horizontal=True, vertical_alignment="center"):
                st.html(_STEPS.format(html.escape(opened)), width="content")
                link = st.popover("Link", icon=":material/link:").empty() if opened not in own else None
            if link is not None:
                _draw_link(link, opened, runs, source)
        with right:
            if shown.label is not None:
                st.markdown(f"### {plain(class_text(shown.label))}")
            answer = st.container()
            if run is not None and len(runs) < 2:
                st.caption(plain(f"By {components.run_label(run)}"))
        maps, likes = st.columns(2, gap="medium")
        if run is not None:
            names, y_prob = run.class_names, shown.y_prob
            label = names.index(shown.label) if shown.label in names else None
            if y_prob is not None:
                with answer:
                    _answer(y_prob, label, class_names=names, none_of_these=shown.none_of_these)
            network = predictor(run)
            if y_prob is None:
                y_prob = network.predict_images(shown.seen[None])[0]
                with answer:
                    _answer(y_prob, label, class_names=names)
            with maps, shell.guard():
                explanations.render_maps(run, shown.seen, label=label, y_prob=y_prob)
            if link is not None:
                # Draw the link again: the menus of the maps have changed the address.
                _draw_link(link, opened, runs, source)
            if shown.learned is not None:
                with likes, shell.guard():
                    opens = run.config.data.source == source
                    _render_nearest(run, shown.learned, shown.seen, itself=shown.itself, opens=opens)


def _of_data_set(opened: str, run: Run | None, source: str, as_now: bool) -> _Shown:
    same = run is not None and run.config.data.source == source
    try:
        dataset = datasets.matching_dataset(run) if run is not None and same else datasets.dataset(source)
    except DataError:
        if not as_now:
            raise
        dataset, same = datasets.dataset(source), False
    part, _, number = opened.partition("-")
    split, position = dataset.train if part == "train" else dataset.test, int(number)
    if position >= len(split):
        raise DataError(f"There is no image {position}: the data set {dataset.title} has {len(split)} in this part.")
    image, label = split.images[position], dataset.class_names[int(split.labels[position])]
    known = (image, f"{label}, {_SPLITS[part].lower()} image {position}")
    caption = f"{split.file_names[position]} · {dataset.title}"
    if run is None:
        return _Shown(*known, caption, label, image)
    if not same:
        seen = fit(image, size=predictor(run).image_shape[:2])
        return _Shown(*known, caption, label, seen, learned=datasets.learned(run))
    itself = [position] if part == "train" else []
    return _Shown(*known, caption, label, image, _stored(run, part, position), dataset, itself)


def _of_own(picture: OwnPicture, run: Run) -> _Shown:
    network = predictor(run)
    look = closer(picture.item, network)
    if look.thumbnail is None:
        raise ImageError(look.error or "")
    width, height = look.picture_size or (0, 0)
    name, caption = display_name(look.file), f"{width:,} × {height:,} pixels"
    seen = look.seen[network.image_shape[:2]]
    [answer] = answered([look], network, temperature=lab().runs.temperature(run))
    known = (look.thumbnail, name, caption, picture.label, seen, answer.probabilities, datasets.learned(run))
    return _Shown(*known, none_of_these=bool(answer.none_of_these))


def best_run(source: str, *, ended: bool = False) -> Run | None:
    """Return the best run with results on a data set as it is now; with ``ended``, pass over resumed runs."""
    fingerprint = datasets.dataset(source).fingerprint
    of_data_set = [run for run in run_lists.with_networks(lab().runs.all()) if run.dataset_fingerprint == fingerprint]
    usable = (run for run in run_lists.best_first(of_data_set) if run.status.ended or not ended)
    return next(filter(run_lists.has_results, usable), None)


def _choose(runs: Sequence[Run]) -> Run:
    """Return the run whose network answers; draw a menu where there are several."""
    if len(runs) == 1:
        return runs[0]
    by_id = {run.run_id: run for run in runs}
    titles = components.run_labels(runs)
    return by_id[inputs.selectbox("Answers of", list(titles), key="opened-run", format_func=titles.__getitem__)]


def _large(image: NDArray[np.uint8], alt: str) -> None:
    times = max(1, _WIDTH // max(image.shape[:2]))
    height, width = (times * edge for edge in image.shape[:2])
    shown = min(width, _WIDTH)
    # A fixed height: the browser loads the image after the texts, which would move.
    with st.container(height=max(1, round(shown * height / width)), border=False):
        st.image(image.repeat(times, axis=0).repeat(times, axis=1), width=shown, alt=alt)


def _answer(
    y_prob: NDArray[np.floating], label: int | None, *, class_names: Sequence[str], none_of_these: bool = False
) -> None:
    if none_of_these:
        st.markdown(f"### {gallery.NONE_OF_THESE}")
    answer = int(y_prob.argmax())
    name, sure = plain(class_text(class_names[answer])), f"{100 * float(y_prob[answer]):.0f} %"
    if label is None:
        st.markdown(f"If it had to choose: {name}, {sure}" if none_of_these else f"### {name}, {sure}")
    else:
        st.markdown(f"✔ recognised, {sure}" if answer == label else f"✘ taken for {name}, {sure}")
    st.html(gallery.bars_markup(gallery.bars(y_prob, class_names=class_names, true_class=label, most=_MAX_BARS)))


def _stored(run: Run, split: str, position: int) -> NDArray[np.floating] | None:
    """Return the run's stored answer about an image, if it was a test or validation image."""
    runs = lab().runs
    validated = "test" if run.config.training.validation == "test" else "train"
    kept: list[Predictions | None] = [runs.predictions(run.run_id)] if split == "test" else []
    if split == validated:
        kept.append(runs.validation_predictions(run.run_id))
    for predictions in filter(None, kept):
        for row in np.flatnonzero(predictions.indices == position):
            return predictions.probabilities[int(row)]
    return None


def _render_nearest(
    run: Run, dataset: Dataset, image: NDArray[np.uint8], *, itself: Sequence[int], opens: bool
) -> None:
    """Draw the training images with the most similar features in the run's network."""
    st.markdown("**Nearest training images**", help="By the features that the network tells images by.")
    train, without = dataset.train, list(itself)
    features = predictor(run).features(image[None])[0]
    if features.nbytes * len(train) > _MAX_BYTES:
        st.caption(f"{len(features):,} features of each of {len(train):,} images are too many to compare.")
        return
    validation = lab().runs.validation_predictions(run.run_id)
    if validation is not None and run.config.training.validation != "test":
        without += validation.indices.tolist()
    of_training = _training_features(run, dataset)
    positions, similarity = nearest(of_training, features, most=_NEAREST, without=without)
    names = dataset.class_names
    gallery.render_cards(
        [
            gallery.class_card(
                train.images[position],
                names[label],
                label,
                f"Training image {position}, {names[label]}, similarity {value:.2f}",
                f"similarity {value:.2f}",
                opens=f"train-{position}" if opens else "",
            )
            for position, label, value in zip(
                positions.tolist(), train.labels[positions].tolist(), similarity.tolist(), strict=True
            )
        ],
        size_rem=5,
        label="Nearest training images",
    )


@cached(
    LRUCache(_MAX_BYTES, getsizeof=lambda features: features.nbytes),
    key=lambda run, dataset: (run_lists.version(run), dataset.fingerprint),
    lock=threading.Lock(),
)
def _training_features(run: Run, dataset: Dataset) -> NDArray[np.float32]:
    """Return the features of all training images, cached for all sessions; draw a progress bar."""
    bar = st.empty()
    features = predictor(run).features(
        dataset.train.images,
        progress=lambda done: bar.progress(done, text="Showing the network its training images ..."),
    )
    bar.empty()
    return features


def _draw_link(place: DeltaGenerator, opened: str, runs: Sequence[Run], source: str) -> None:
    """Draw this page's address with the open image and the page's own choices, but without the visitor's lesson."""
    chosen = {"source": source} | ({"run": runs[0].run_id} if len(runs) == 1 else {})
    here = {name: value for name, value in st.query_params.to_dict().items() if name != ME}
    query = {**here, **chosen, KEY: opened}
    place.code(f"{st.context.url or ''}?{urlencode(query)}", language=None, wrap_lines=True)
