"""Cards of images."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from aquadash.ui import gallery
from aquadash.ui.gallery import Bar, Card, data_url, markup
from tests.app_pages import run_script

EVIL = '"><script>alert(1)</script>'


def image(edge: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (edge, edge, 3), dtype=np.uint8)


def html_of(*cards: Card, columns: int | None = None) -> str:
    return markup(cards, size_rem=6, columns=columns, label="Pictures")


def test_every_text_is_escaped() -> None:
    card = Card(image(), EVIL, EVIL, EVIL, bars=(Bar(EVIL, 0.5, EVIL),), accent=EVIL)
    html = html_of(card)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 6


def test_classes_that_read_alike_when_shortened_have_their_whole_names_in_menus() -> None:
    cars = [f"Automobile model year {year} side view" for year in (1998, 2004)]
    assert gallery.class_titles([*cars, "otter"]) == {**dict(zip(cars, cars, strict=True)), "otter": "🦦 otter"}


def test_photographs_are_shrunk_and_smooth() -> None:
    html = html_of(Card(image(600), "otter", "otter"))
    assert "aqua-pixels" not in html
    png = base64.b64decode(data_url(image(600)).partition(",")[2])
    assert Image.open(io.BytesIO(png)).size == (192, 192)


def test_bars_say_their_numbers_and_mark_the_truth_without_colour() -> None:
    html = html_of(
        Card(
            image(),
            "otter",
            "otter",
            bars=(Bar("🦦 otter", 0.874, "#E69F00", is_true=True), Bar("seal", 1.7, "#009E73")),
        )
    )
    assert "87 %" in html and "width: 87.4%" in html
    assert html.count("✓") == 1
    assert "width: 100.0%" in html, "a share beyond 1 does not burst the card"


def pages() -> None:
    import streamlit as st

    from aquadash.ui import gallery

    with gallery.paged(95, per_page=10, key="page") as shown:
        st.session_state["slice"] = shown


def test_the_page_is_in_the_address_and_one_beyond_the_last_is_the_last() -> None:
    app = run_script(pages, page="999")
    assert app.session_state["slice"] == slice(90, 95)
    assert app.button(key="page-next").disabled
    app.button(key="page-previous").click().run()
    assert app.session_state["slice"] == slice(80, 90)
    assert app.query_params["page"] == "9"
    app.number_input(key="page").set_value(1).run()
    assert app.session_state["slice"] == slice(0, 10)
    assert app.button(key="page-previous").disabled


CLASSES = ("beaver", "dolphin", "otter")


def test_of_many_classes_only_the_likeliest_and_the_true_one_are_shown() -> None:
    shares = np.linspace(0, 1, 100)
    shown = gallery.bars(shares, class_names=[f"c{index}" for index in range(100)], true_class=3)

    assert [bar.label for bar in shown] == ["c3", *(f"c{index}" for index in range(94, 100))]
