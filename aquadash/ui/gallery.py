"""Images as a grid of cards: enlarged without smoothing, captioned, with a text alternative each."""

from __future__ import annotations

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
from aquadash.ui import address, bound
from aquadash.ui.text import unique_titles

#: Images up to this edge, in pixels, are enlarged pixel by pixel; larger ones are photographs and are shrunk to it.
SHOWN_EDGE = 192


@dataclass(frozen=True)
class Bar:
    """A probability below an image, 0 to 1, in a colour as CSS takes it."""

    label: str
    probability: float
    colour: str
    #: The true class gets a tick, so that colour is not the only sign.
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
    #: CSS colour of a line above the image, such as the class's; None for no line.
    accent: str | None = None
    #: What a click on the image opens, as :mod:`aquadash.ui.image_dialog` names it: ``"test-12"``; empty for nothing.
    opens: str = ""
    #: A large card begins a row and is twice as wide and high as the others.
    large: bool = False


def show(cards: Sequence[Card], *, size_rem: float = 6.0, columns: int | None = None, label: str = "Images") -> None:
    """Draw the cards, at most a few hundred, in as many columns as fit, or in exactly so many.

    Args:
        cards: From left to right, row by row.
        size_rem: The least width of a card, in units of the text size; with ``columns`` the greatest.
        columns: How many cards a row has, whatever the width of the screen.
        label: Text alternative of the list.
    """
    st.html(markup(cards, size_rem=size_rem, columns=columns, label=label) if cards else "<p>No images to show.</p>")


def markup(cards: Sequence[Card], *, size_rem: float, columns: int | None, label: str) -> str:
    """The HTML of :func:`show`, every text in it escaped."""
    items = "".join(f"<li{' class=aqua-large' if card.large else ''}>{_card(card)}</li>" for card in cards)
    size = f"{float(size_rem)}rem"
    fixed = f"grid-template-columns: repeat({columns}, minmax(min(3.8rem, 16%), {size}))"
    layout = fixed if columns else f"--aqua-size: {size}"
    # A fixed number of columns may be wider than a phone; the list scrolls then, by the keyboard, too.
    focus = ' tabindex="0"' if columns else ""
    return f'<ul class="aqua-cards" role="list" aria-label="{html.escape(label)}" style="{layout}"{focus}>{items}</ul>'


@contextmanager
def paged(total: int, *, per_page: int, key: str = "page") -> Iterator[slice]:
    """Give the positions of ``total`` things that the present page shows, for the block to draw; below it the pager.

    The page is in the address under ``key``: ``with gallery.paged(500, per_page=12) as shown: ...``
    """
    number = bound.restore(key, bound.number_in(1, max(1, math.ceil(total / per_page)), clamp=True), default=1)
    yield slice((number - 1) * per_page, min(total, number * per_page))
    if total > per_page:
        _pager(number, last=math.ceil(total / per_page), key=key)
    else:
        address.record(key, "1", default="1")


def _pager(number: int, *, last: int, key: str) -> None:
    def button(label: str, icon: str, page: int) -> None:
        name, off = f"{key}-{label.lower()}", not 1 <= page <= last
        st.button(label, icon=icon, key=name, disabled=off, on_click=address.assign, args=(key, page))

    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}-pager"):
        button("Previous", "◀️", number - 1)
        bound.number(key, 1, last, label=f"Page (of {last:,})", default=1, width=130)
        button("Next", "▶️", number + 1)


def first_page() -> None:
    """A filter's callback: the present page may not exist any more, and what comes first is what was asked for."""
    address.assign("page", 1)


def shrunk(image: NDArray[np.uint8]) -> Image.Image:
    """The image no larger than a card can show."""
    picture = Image.fromarray(image)
    picture.thumbnail((SHOWN_EDGE, SHOWN_EDGE), Image.Resampling.LANCZOS)
    return picture


def data_url(image: NDArray[np.uint8]) -> str:
    """The image, :func:`shrunk`, as a PNG within an address."""
    buffer = io.BytesIO()
    shrunk(image).save(buffer, format="PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def bars_markup(bars: Sequence[Bar]) -> str:
    """Probability bars as HTML that stands by itself, every text in it escaped."""
    return f'<ul class="aqua-bars" role="list" aria-label="Probabilities">{"".join(map(_bar, bars))}</ul>'


def _card(card: Card) -> str:
    """One card's HTML."""
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
    """One probability's HTML: the label and the number as text, the bar itself only for the eye."""
    fraction = min(max(float(bar.probability), 0.0), 1.0)
    name = html.escape(bar.label) + (' <b title="true class">✓</b>' if bar.is_true else "")
    return (
        f'<li><span>{name}</span><span class="aqua-number">{100 * fraction:.0f} %</span><div class="aqua-track" '
        f'aria-hidden="true"><div class="aqua-fill" style="width: {100 * fraction:.1f}%; background: '
        f'{html.escape(bar.colour)}"></div></div></li>'
    )


#: With more classes only the most probable ones (and the true one) get a bar, so that cards stay short.
MAX_BARS = 6


def class_text(name: str) -> str:
    """A class as emoji and shortened name, "🦦 otter", for menus and HTML; for markdown it needs ``text.plain``."""
    return f"{class_emoji(name)} {shorten(name)}".strip()


def class_titles(names: Iterable[str]) -> dict[str, str]:
    """Classes by name as :func:`class_text` has them, whole where two would read alike, which no menu tells apart."""
    short = {name: class_text(name) for name in names}
    return unique_titles(short, lambda name, _: f"{class_emoji(name)} {isolated(name)}".strip())


def class_card(
    image: NDArray[np.uint8], name: str, label: int, alt: str, subtitle: str = "", *, opens: str = ""
) -> Card:
    """An image of a class: what is said of it is its name, and the line above is of its colour."""
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
    true, given, sure = class_names[label], class_names[answer], f"{100 * float(probabilities[answer]):.0f} %"
    told = "recognised" if answer == label else f"taken for {given}"
    subtitle = f"✔ {sure}" if answer == label else f"✘ {class_text(given)}, {sure}"
    return class_card(image, true, label, f"{what}: {true}, {told} with {sure} confidence", subtitle, opens=opens)


def bars(
    probabilities: ArrayLike, *, class_names: Sequence[str], true_class: int | None = None, most: int = MAX_BARS
) -> tuple[Bar, ...]:
    """The bars of one image, in class order: of all classes, or the ``most`` probable and the true one."""
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
