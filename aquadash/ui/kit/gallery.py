"""Images as a grid of cards: enlarged without smoothing, captioned, with a text alternative each."""

import base64
import html
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from aquadash.figures.theme import class_colour, class_emoji, isolated, shorten
from aquadash.ui.kit import address, bound
from aquadash.ui.kit.text import unique_titles

#: Images up to this edge, in pixels, are enlarged pixel by pixel; larger ones are photographs and are shrunk to it.
SHOWN_EDGE = 192

#: The verdict of a detector on a picture that is like no class.
NONE_OF_THESE = "🤷 None of these"


@dataclass(frozen=True)
class Bar:
    """A probability below an image, 0 to 1, in a colour as CSS takes it."""

    label: str
    probability: float
    colour: str
    #: The true class has a tick beside its colour.
    is_true: bool = False


@dataclass(frozen=True, eq=False)
class Card:
    """An image, uint8 (height, width, 3), with a title and a smaller subtitle below it."""

    image: NDArray[np.uint8]
    title: str
    #: Text alternative of the image.
    alt: str
    subtitle: str = ""
    bars: tuple[Bar, ...] = ()
    #: CSS colour of a line above the image; None for no line.
    accent: str | None = None
    #: Name of the image that a click opens (:mod:`aquadash.ui.kit.image_dialog`): ``"test-12"``; empty for none.
    opens: str = ""
    #: Twice as wide and high as the others, at the start of a row.
    large: bool = False


def render_cards(
    cards: Sequence[Card], *, size_rem: float = 6.0, columns: int | None = None, label: str = "Images"
) -> None:
    """Draw at most a few hundred cards, row by row.

    Args:
        size_rem: The least width of a card, in rem; with ``columns`` the greatest.
        columns: Number of cards a row; by default as many as fit.
        label: Text alternative of the list.
    """
    st.html(markup(cards, size_rem=size_rem, columns=columns, label=label) if cards else "<p>No images to show.</p>")


def markup(cards: Sequence[Card], *, size_rem: float, columns: int | None, label: str) -> str:
    """Return the HTML of :func:`render_cards`, with escaped texts."""
    items = "".join(f"<li{' class=aqua-large' if card.large else ''}>{_card(card)}</li>" for card in cards)
    size = f"{float(size_rem)}rem"
    fixed = f"grid-template-columns: repeat({columns}, minmax(min(3.8rem, 16%), {size}))"
    layout = fixed if columns else f"--aqua-size: {size}"
    # Fixed columns may be wider than a phone: the list must scroll by the keyboard, too.
    focus = ' tabindex="0"' if columns else ""
    return f'<ul class="aqua-cards" role="list" aria-label="{html.escape(label)}" style="{layout}"{focus}>{items}</ul>'


@contextmanager
def paged(total: int, *, per_page: int, key: str = "page") -> Iterator[slice]:
    """Yield the slice of ``total`` things on the present page, whose number is in the address; draw the pager below."""
    number = address.sync(key, bound.number_in(1, max(1, math.ceil(total / per_page)), clamp=True), default=1)
    yield slice((number - 1) * per_page, min(total, number * per_page))
    if total > per_page:
        _pager(number, last=math.ceil(total / per_page), key=key)


def _pager(number: int, *, last: int, key: str) -> None:
    def button(label: str, icon: str, page: int) -> None:
        name, off = f"{key}-{label.lower()}", not 1 <= page <= last
        st.button(label, icon=icon, key=name, disabled=off, on_click=address.assign, args=(key, page))

    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}-pager"):
        button("Previous", "◀️", number - 1)
        bound.number(key, 1, last, label=f"Page (of {last:,})", default=1, width=130)
        button("Next", "▶️", number + 1)


def first_page() -> None:
    """Go to the first page, as a filter's callback."""
    address.assign("page", 1)


def shrunk(image: NDArray[np.uint8]) -> Image.Image:
    """Return the image, shrunk to the size of a card."""
    picture = Image.fromarray(image)
    picture.thumbnail((SHOWN_EDGE, SHOWN_EDGE), Image.Resampling.LANCZOS)
    return picture


def data_url(image: NDArray[np.uint8]) -> str:
    """Return the shrunk image as a PNG in a data URL."""
    buffer = io.BytesIO()
    shrunk(image).save(buffer, format="PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def bars_markup(bars: Sequence[Bar]) -> str:
    """Return probability bars as HTML, with escaped texts."""
    return f'<ul class="aqua-bars" role="list" aria-label="Probabilities">{"".join(map(_bar, bars))}</ul>'


def _card(card: Card) -> str:
    pixels = ' class="aqua-pixels"' if max(card.image.shape[:2]) <= SHOWN_EDGE else ""
    accent = f' style="border-top: 0.25rem solid {html.escape(card.accent)}"' if card.accent else ""
    subtitle = f'<br><span class="aqua-sub">{html.escape(card.subtitle)}</span>' if card.subtitle else ""
    bars = bars_markup(card.bars) if card.bars else ""
    image = f'<img{pixels} alt="{html.escape(card.alt)}" src="{data_url(card.image)}">'
    if card.opens:
        image = f'<button type="button" class="aqua-opens" data-opens="{html.escape(card.opens)}">{image}</button>'
    return (
        f'<figure class="aqua-card"{accent}>{image}'
        f"<figcaption>{html.escape(card.title)}{subtitle}</figcaption>{bars}</figure>"
    )


def _bar(bar: Bar) -> str:
    """Return a bar's HTML; screen readers get the label and the number."""
    fraction = min(max(float(bar.probability), 0.0), 1.0)
    name = html.escape(bar.label) + (' <b title="true class">✓</b>' if bar.is_true else "")
    return (
        f'<li><span>{name}</span><span class="aqua-number">{100 * fraction:.0f} %</span><div class="aqua-track" '
        f'aria-hidden="true"><div class="aqua-fill" style="width: {100 * fraction:.1f}%; background: '
        f'{html.escape(bar.colour)}"></div></div></li>'
    )


#: With more classes only the most probable ones and the true one have a bar.
MAX_BARS = 6


def class_text(name: str) -> str:
    """Return a class as emoji and shortened name, "🦦 otter"; unescaped."""
    return f"{class_emoji(name)} {shorten(name)}".strip()


def class_titles(names: Iterable[str]) -> dict[str, str]:
    """Return :func:`class_text` by name, with the whole name where two would be equal."""
    short = {name: class_text(name) for name in names}
    return unique_titles(short, lambda name, _: f"{class_emoji(name)} {isolated(name)}".strip())


def class_card(
    image: NDArray[np.uint8], name: str, label: int, alt: str, subtitle: str = "", *, opens: str = ""
) -> Card:
    """Return the card of an image with its class's name and colour."""
    return Card(image, class_text(name), alt, subtitle, accent=class_colour(name, label), opens=opens)


def answer_card(
    image: NDArray[np.uint8],
    probabilities: NDArray[np.floating],
    label: int,
    *,
    class_names: Sequence[str],
    what: str,
    opens: str = "",
) -> Card:
    """Return the card of an image of class ``label`` with a network's answer; ``what`` names the image in words."""
    answer = int(probabilities.argmax())
    true, predicted, sure = class_names[label], class_names[answer], f"{100 * float(probabilities[answer]):.0f} %"
    verdict = "recognised" if answer == label else f"taken for {predicted}"
    subtitle = f"✔ {sure}" if answer == label else f"✘ {class_text(predicted)}, {sure}"
    return class_card(image, true, label, f"{what}: {true}, {verdict} with {sure} confidence", subtitle, opens=opens)


def bars(
    probabilities: ArrayLike, *, class_names: Sequence[str], true_class: int | None = None, most: int = MAX_BARS
) -> tuple[Bar, ...]:
    """Return the bars of an image in class order: the ``most`` probable classes and the true one."""
    y_prob = np.asarray(probabilities, dtype=np.float64)
    shown = {int(index) for index in np.argsort(-y_prob, kind="stable")[:most]}
    return tuple(
        Bar(
            label=class_text(class_names[index]),
            probability=float(y_prob[index]),
            colour=class_colour(class_names[index], index),
            is_true=index == true_class,
        )
        for index in sorted(shown if true_class is None else shown | {true_class})
    )
