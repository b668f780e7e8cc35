"""The sample images of the Augment page: training images, or a person's own pictures at the training size."""

import secrets
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from aquadash.data import Dataset
from aquadash.data.framing import fit, framing_note
from aquadash.data.images import decode, display_name
from aquadash.errors import ImageError
from aquadash.ui.kit import address, bound, gallery, inputs
from aquadash.ui.kit.address import Codec
from aquadash.ui.kit.text import plain
from aquadash.ui.kit.uploads import Upload, picture_field, within_limit

#: Titles of the origins by their word in the address.
ORIGINS = {"training": "🐟 Training images", "own": "🖼️ Your own pictures"}

#: The default and the maximum number of images.
DEFAULT, MAX_IMAGES = 2, 16

_COUNT = "image-count"


class SampleImages(NamedTuple):
    """The sample images."""

    #: uint8, shape (n, height, width, 3), in the data set's size; n is at least 1.
    images: NDArray[np.uint8]
    #: The class or the file name of each.
    labels: tuple[str | None, ...]
    #: Indices in the training split; empty for a person's own pictures.
    positions: list[int]


def choose(dataset: Dataset, options: DeltaGenerator) -> SampleImages:
    """Draw the choice of the sample images into a popover; it is in the address as ``from`` and ``images``."""
    origin = bound.choice("from", ORIGINS, label="Preview images", into=options)
    # Messages are outside of the popover.
    messages = st.container()
    with options:
        own = _own(dataset, messages) if origin == "own" else None
    if own is not None:
        return own
    positions = _pick(dataset, options)
    labels = tuple(dataset.class_names[label] for label in dataset.train.labels[positions])
    return SampleImages(dataset.train.images[positions], labels, positions)


def keep() -> None:
    """Draw the field for own pictures where no pictures are shown (STREAMLIT.md, "Widgets that leave the page")."""
    if st.query_params.get("from") == "own":
        with st.popover(ORIGINS["own"]):
            _field()


def _field() -> Any:
    return picture_field(
        f"Drop up to {MAX_IMAGES} pictures here",
        key="own-pictures",
        accept_multiple_files=True,
        help="PNG, JPEG, WebP, BMP or GIF. AquaDash crops each to its middle and scales it to the size of the training "
        "images. Your pictures go only to the computer that runs AquaDash.",
    )


def _own(dataset: Dataset, messages: DeltaGenerator) -> SampleImages | None:
    """Draw the field and its messages; return None while no picture can be used."""
    height, width = dataset.image_shape[:2]
    uploads = _field()
    images, labels = [], []
    for upload in within_limit(uploads[:MAX_IMAGES]):
        image, text = _read(upload.file_id, upload, size=(height, width))
        if image is None:
            messages.error(plain(text), icon="🚫")
            continue
        images.append(image)
        labels.append(display_name(upload.name))
        if text:
            messages.caption(f"{plain(labels[-1])}: {plain(text)}")
    if (left_out := len(uploads) - MAX_IMAGES) > 0:
        messages.info(f"The first {MAX_IMAGES} pictures are shown, {left_out} left out.", icon="🖼️")
    if not images:
        messages.caption("Training images are shown until you add a picture. Reloading the page removes your pictures.")
        return None
    return SampleImages(np.stack(images), tuple(labels), [])


@st.cache_data(max_entries=64, show_spinner=False, scope="session")
def _read(file_id: str, _upload: Upload, *, size: tuple[int, int]) -> tuple[NDArray[np.uint8] | None, str]:
    """Return an uploaded picture in the training size and a note, or None and the error."""
    try:
        rgb = decode(_upload.getvalue(), name=_upload.name).rgb
    except ImageError as error:
        return None, str(error)
    return fit(rgb, size=size), framing_note(rgb, size=size)


def _pick(dataset: Dataset, options: DeltaGenerator) -> list[int]:
    """Return the chosen training images; draw the controls while the popover is open."""
    total = len(dataset.train)
    default = most_colourful(dataset, DEFAULT)

    # An empty list stands for the default, which depends on the data set.
    codec = Codec[list[int]](
        f"up to {MAX_IMAGES} numbers from 0 to {total - 1:,} with commas between",
        lambda text: list(dict.fromkeys(int(part) for part in text.split(",")[:MAX_IMAGES])),
        lambda positions: ",".join(map(str, positions or default)),
        lambda positions: [position for position in positions if 0 <= position < total],
    )
    chosen = address.sync("images", codec, default=[]) or default
    if getattr(options, "open", None) is not False:
        with options:
            _controls(dataset, chosen)
    return chosen


def _controls(dataset: Dataset, chosen: list[int]) -> None:
    st.session_state[_COUNT] = len(chosen)

    def other() -> None:
        others = spread(dataset, len(chosen), seed=secrets.randbits(32))
        address.assign("images", resized(dataset, others, len(chosen)))

    def count() -> None:
        address.assign("images", resized(dataset, chosen, st.session_state[_COUNT]))

    def certain(label: int) -> None:
        of_class = np.flatnonzero(dataset.train.labels == label)
        position = int(of_class[min(st.session_state["number"], len(of_class)) - 1])
        address.assign("images", [position, *(kept for kept in chosen if kept != position)][:MAX_IMAGES])

    with st.container(horizontal=True, vertical_alignment="bottom"):
        inputs.number_input("Number of images", 1, MAX_IMAGES, step=1, key=_COUNT, on_change=count, width=130)
        st.button("Other images", icon="🔀", key="other-images", on_click=other)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = list(gallery.class_titles(dataset.class_names).values())
        label = inputs.selectbox("Class", range(len(titles)), format_func=titles.__getitem__, key="class", width=170)
        last = int((dataset.train.labels == label).sum())
        inputs.number_input("Image number in class", 1, last, step=1, key="number", width=180)
        st.button("Show this image first", icon="🎯", key="certain", on_click=certain, args=(label,))


def spread(dataset: Dataset, number: int, *, seed: int) -> list[int]:
    """Return indices of different training images, the classes in turn; at most ``number``."""
    generator = np.random.default_rng(seed)
    classes = len(dataset.class_names)
    positions: dict[int, None] = {}
    for turn in range(4 * MAX_IMAGES):
        if len(positions) < number:
            positions[int(generator.choice(np.flatnonzero(dataset.train.labels == turn % classes)))] = None
    return list(positions)


def most_colourful(dataset: Dataset, number: int) -> list[int]:
    """Return the most colourful image of each class in a sample of the training images; at most ``number``."""
    positions = np.array(spread(dataset, 4 * MAX_IMAGES, seed=0))
    variety = np.ptp(dataset.train.images[positions], axis=3).std(axis=(1, 2))
    best_first = positions[np.argsort(-variety)]
    _, first_of_class = np.unique(dataset.train.labels[best_first], return_index=True)
    return [int(position) for position in best_first[np.sort(first_of_class)][:number]]


def resized(dataset: Dataset, positions: list[int], number: int) -> list[int]:
    """Return ``number`` positions: the first of these, then others of the training split."""
    others = [position for position in spread(dataset, 4 * MAX_IMAGES, seed=1) if position not in positions]
    return [*positions, *others][:number]
