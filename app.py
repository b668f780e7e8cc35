"""AquaDash in the browser: ``streamlit run app.py``.

Streamlit reads this file twice. The server imports it, outside of any session, to find ``app``. Then every visit runs
it as a script, within a session, to set the page up.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from aquadash import settings
from aquadash.ui import server
from aquadash.ui.classroom import frame

if get_script_run_ctx(suppress_warning=True) is None:
    server.expect_navigation()
    app = st.App(
        __file__,
        lifespan=server.lifespan,
        routes=server.routes(),
        middleware=server.middleware(),
        on_script_error=server.on_script_error,
    )
else:
    st.set_page_config(page_title="AquaDash", page_icon="🐋", layout="wide")
    frame.run(
        st.navigation(
            [
                # The default page's address is the bare host, whatever its own; the hidden twin answers to /home, too.
                st.Page("pages/home.py", title="Home", icon="🌊", url_path="start", default=True),
                st.Page("pages/home.py", title="Home", icon="🌊", url_path="home", visibility="hidden"),
                st.Page("pages/data.py", title="Data", icon="🐟"),
                st.Page("pages/augment.py", title="Augment", icon="🎲"),
                st.Page("pages/train.py", title="Train", icon="🏊"),
                st.Page("pages/evaluate.py", title="Evaluate", icon="🔎"),
                st.Page("pages/predict.py", title="Predict", icon="📷"),
                st.Page("pages/compare.py", title="Compare", icon="⚖️"),
                st.Page("pages/walkthrough.py", title="Walkthrough", icon="🎓"),
                *([st.Page("pages/classroom.py", title="Class", icon="🏫")] if settings.classroom() else []),
            ],
            position=frame.navigation_position(),
        )
    )
