"""What of Streamlit itself is done differently: the same comes out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit import config
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

from aquadash.ui import framework

SECTIONS = ("theme", "theme.light", "theme.dark", "theme.sidebar", "theme.light.sidebar", "theme.dark.sidebar")


@pytest.fixture
def original(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Streamlit's own function, put back afterwards."""
    describe = app_session._populate_theme_msg
    monkeypatch.setattr(app_session, "_populate_theme_msg", describe)
    yield describe


@pytest.mark.parametrize("section", SECTIONS)
def test_the_theme_is_described_as_streamlit_does(original: object, section: str) -> None:
    expected = CustomThemeConfig()
    original(expected, section)
    framework.describe_theme_once()
    for _ in range(2):
        described = CustomThemeConfig()
        app_session._populate_theme_msg(described, section)
        assert described.SerializeToString(deterministic=True) == expected.SerializeToString(deterministic=True)
    assert section != "theme.light" or described.primary_color


def test_a_section_without_settings_stays_unset(original: object) -> None:
    framework.describe_theme_once()
    theme = CustomThemeConfig()
    app_session._populate_theme_msg(theme.sidebar, "theme.sidebar")
    assert not theme.HasField("sidebar")


def test_the_settings_are_read_once(original: object, monkeypatch: pytest.MonkeyPatch) -> None:
    framework.describe_theme_once()
    framework.describe_theme_once()
    asked: list[str] = []
    read = config.get_options_for_section
    monkeypatch.setattr(config, "get_options_for_section", lambda section: asked.append(section) or read(section))
    for _ in range(5):
        app_session._populate_theme_msg(CustomThemeConfig(), "theme.dark")
    assert asked == ["theme.dark"]
