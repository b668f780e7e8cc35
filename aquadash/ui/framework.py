"""What of Streamlit itself is done differently here, because thirty browsers would pay for it."""

from __future__ import annotations

import threading

from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session


def describe_theme_once() -> None:
    """Let Streamlit read the theme from its settings once instead of six times with every redrawing of anything.

    Every tick of a live chart begins with a message that describes the whole theme; putting it together takes as long
    as the drawing of a small fragment. The settings cannot change while the server runs.
    """
    describe = getattr(app_session, "_populate_theme_msg", None)
    if describe is None or getattr(describe, "is_kept", False):
        return  # Another release of Streamlit may do it in another way: then it is as fast as it is.
    kept: dict[str, CustomThemeConfig] = {}
    lock = threading.Lock()

    def describe_from_memory(msg: CustomThemeConfig, section: str = "theme") -> None:
        with lock:
            if section not in kept:
                kept[section] = CustomThemeConfig()
                describe(kept[section], section)
        # A section without settings must stay unset: merging an empty message would set it.
        if kept[section].ListFields():
            msg.MergeFrom(kept[section])

    describe_from_memory.is_kept = True  # type: ignore[attr-defined]
    app_session._populate_theme_msg = describe_from_memory
