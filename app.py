"""AquaDash in the browser: ``streamlit run app.py``.

Streamlit reads this file twice. The server imports it, outside of any session, to find ``app``. Then every visit runs
it as a script, within a session, to set the page up.
"""

from __future__ import annotations

import streamlit as st

from aquadash import settings
from aquadash.pages import FIRST, PAGES, addresses


def navigation() -> list[st.Page]:
    """Return every page under each of its addresses; the menu shows the first address."""
    return [
        st.Page(
            f"pages/{name}.py",
            title=page.title,
            icon=page.icon,
            url_path=address,
            default=name == FIRST and number == 0,
            visibility="hidden" if number else "visible",
        )
        for name, page in PAGES.items()
        if settings.classroom() or not page.class_only
        for number, address in enumerate(addresses(name))
    ]


if __name__ != "__main__":
    from aquadash.ui import server

    server.return_freed_memory()
    server.expect_navigation()
    app = st.App(
        __file__,
        lifespan=server.lifespan,
        routes=server.routes(),
        middleware=server.middleware(),
        on_script_error=server.on_script_error,
    )
else:
    st.set_page_config(page_icon="🐋", layout="wide", initial_sidebar_state=220)
    if settings.classroom():
        from aquadash.ui.classroom import frame

        frame.run(navigation())
    else:
        page = st.navigation(navigation())
        st.set_page_config(page_title=f"{page.title} · AquaDash")
        page.run()
