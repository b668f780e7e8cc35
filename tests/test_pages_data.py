"""The data page."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from aquadash.data import cifar100
from aquadash.errors import DataError
from tests.app_pages import address_of, html, open_app_page

pytestmark = pytest.mark.usefixtures("no_warm_up")

visit = partial(open_app_page, "data")


def test_a_first_visitor_sees_drawn_animals_at_once() -> None:
    app = visit()
    assert not app.error
    assert app.selectbox(key="data-set").value == "synthetic"
    assert "**2,500** training images · **500** test images · **5** classes" in app.markdown[1].value
    assert html(app).count("<img") == html(app).count(", training image ") == 50
    assert not app.query_params


def test_the_gallery_follows_class_split_and_page_size() -> None:
    app = visit(classes="otter,whale", split="test", show="20", page="2")
    first = html(app)
    assert first.count("<img") == 20
    assert "seal" not in first and "beaver" not in first and "dolphin" not in first
    assert "test image" in first
    assert (app.number_input(key="page").value, app.number_input(key="page").label) == (2, "Page (of 10)")
    app.button(key="page-next").click().run()
    assert address_of(app, "page") == "3"
    assert not {*re.findall(r"test-\d+", first)} & {*re.findall(r"test-\d+", html(app))}, "other images"


def test_numbers_are_measured() -> None:
    app = visit(view="numbers")
    assert not app.error
    assert len(app.get("plotly_chart")) == 2
    assert app.dataframe[0].value["Channel"].tolist() == ["red", "green", "blue"]
    assert html(app).count("Mean of 500 images of class") == 5


def test_missing_photographs_are_downloaded_by_a_click_and_a_failure_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[bool] = []

    def fail(progress: Callable[[str, float], None]) -> None:
        fetched.append(True)
        progress("Downloading", 0.25)
        raise DataError("CIFAR-100 could not be downloaded: no network.")

    monkeypatch.setattr(cifar100, "locate", lambda: None)
    monkeypatch.setattr(cifar100, "fetch", fail)
    app = visit(source="cifar100")
    assert "not on this computer yet" in app.info[0].value and not app.error and not fetched
    app.button(key="download").click().run()
    assert app.error[0].value == "CIFAR-100 could not be downloaded: no network."
    assert fetched and not app.exception


def test_a_damaged_archive_gives_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "cifar-100-python.tar.gz"
    archive.write_bytes(b"not an archive")
    monkeypatch.setenv("AQUADASH_CIFAR100", str(archive))
    app = visit(source="cifar100")
    assert len(app.error) == 1
    assert not app.exception
    app.selectbox(key="data-set").set_value("synthetic").run()
    assert not app.error
    assert html(app).count("<img") == 50
