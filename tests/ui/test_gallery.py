"""Cards of images."""

import numpy as np

from aquadash.ui.kit.gallery import Bar, Card, markup
from tests.support.app_pages import run_script

EVIL = '"><script>alert(1)</script>'


def test_every_text_is_escaped() -> None:
    card = Card(np.zeros((32, 32, 3), np.uint8), EVIL, EVIL, EVIL, bars=(Bar(EVIL, 0.5, EVIL),), accent=EVIL)
    html = markup([card], size_rem=6, columns=None, label="Pictures")
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 6


def pages() -> None:
    import streamlit as st

    from aquadash.ui.kit import gallery

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
