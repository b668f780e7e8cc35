"""Every page is drawn without runs, and every section but the lesson's with two, and stands in its address."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from aquadash.pages import PAGES, addresses, name_at
from aquadash.people import Role
from aquadash.runs import Run, open_store
from aquadash.settings import PROJECT_ROOT
from aquadash.ui import sections
from tests.app_pages import address_notes, address_of, charts, ids, open_app_page
from tests.classrooms import join, look_as, open_class
from tests.compared_runs import add_compared

#: Each page as it opens in a home without runs, and with what its address says of each of its sections in one with two.
#: Those of the lesson are drawn in tests/test_pages_walkthrough.py.
PLACES = [
    (runs, page, query)
    for runs in ("no runs", "two runs")
    for page in PAGES
    for query in sections.queries(page)[: 1 if runs == "no runs" or page == "walkthrough" else None]
]

#: What the address of a page, or of one of its places, cannot say. The widgets' own tests tell how each text is read.
MALFORMED: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("data", {}, {"source": "zoo", "classes": "cat", "split": "middle", "show": "3", "page": "one", "view": "x"}),
    ("augment", {}, {"source": "zoo", "pipeline": "notebook-9", "seed": "-1", "images": "1,2500", "view": "sky"}),
    ("augment", {}, {"images": "a", "look": "sideways", "draws": "9", "versions": "some"}),
    ("augment", {"look": "difference"}, {"amplify": "3"}),
    ("train", {}, {"preset": "nonsense", "source": "<b>"}),
    ("train", {"view": "search"}, {"base": "<b>", "source": "moon"}),
    ("evaluate", {}, {"true": "cat", "predicted": "<b>x</b>", "outcome": "maybe", "confidence": "90-50", "show": "7"}),
    ("evaluate", {}, {"sort": "colour", "cells": "x", "section": "<i>x</i>", "with": "nobody"}),
    ("evaluate", {}, {"cells": "difference", "confidence": "\N{SUPERSCRIPT TWO}-50"}),
    ("evaluate", {"section": "curves"}, {"curve": "x", "class": "cat", "cut": "101", "part": "<b>"}),
    ("evaluate", {"section": "calibration"}, {"bin": "16"}),
    ("evaluate", {"section": "threshold"}, {"sure": "-1", "answers": "x"}),
    ("evaluate", {"section": "duplicates"}, {"distance": "51", "labels": "x"}),
    ("predict", {}, {"sample": "-3", "input": "fax"}),
    ("compare", {"section": "curves"}, {"smooth": "2", "zoom": "x", "lit": "nobody", "metric": "nonsense"}),
    ("walkthrough", {}, {"lesson": "<b>", "me": "../../etc/passwd"}),
]


@dataclass(frozen=True)
class Shelf:
    """A home that the tests of this module share, for looking at pages changes nothing that another would see."""

    home: Path
    runs: tuple[Run, ...]


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest, prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    home = tmp_path_factory.mktemp("pages")
    shutil.copytree(prepared_home, home, dirs_exist_ok=True)
    if request.param == "no runs":
        return Shelf(home, ())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(home))
        runs = [add_compared(open_store(), name, skill=0.6, seed=seed) for seed, name in enumerate(("one", "other"))]
    return Shelf(home, tuple(runs))


@pytest.fixture
def shelf(shared: Shelf, no_engine: None, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("AQUADASH_HOME", str(shared.home))
    return shared


@pytest.mark.parametrize(("shared", "page", "query"), PLACES, indirect=["shared"])
def test_every_page_and_section_is_drawn_and_stands_in_its_address(
    shelf: Shelf, page: str, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if PAGES[page].class_only:
        open_class(monkeypatch)
        look_as(monkeypatch, join("Ms Hill", Role.TEACHER)[1])
    name, _, word = query.partition("=")
    about = {"run": shelf.runs[0].run_id, "runs": ids(*shelf.runs)} if shelf.runs else {}
    app = open_app_page(page, **about, **({name: word} if query else {}))

    assert not app.error and not address_notes(app)
    record = PAGES[page]
    assert app.title[0].value == f"{record.icon} {record.heading or record.title}"
    assert app.markdown[0].value == record.question
    assert all(charts(app))
    table = sections.of_page(page)
    if table is not None and (name in app.session_state or shelf.runs):
        assert app.session_state[name] == word
        assert address_of(app, name) == (None if word == next(iter(table.table)) else word)


@pytest.mark.parametrize("shared", ["two runs"], indirect=True)
@pytest.mark.parametrize(("page", "place", "asked"), MALFORMED)
def test_what_a_page_cannot_follow_in_its_address_is_said_and_taken_out(
    shelf: Shelf, page: str, place: dict[str, str], asked: dict[str, str]
) -> None:
    about = {"run": shelf.runs[0].run_id} if page == "evaluate" else {"runs": ids(*shelf.runs)}
    app = open_app_page(page, **about, **place, **asked)
    notes = address_notes(app)
    assert not app.error
    assert sorted(note.split()[4] for note in notes) == sorted(asked)
    assert not any(re.search(r"(?<!\\)<", note) for note in notes), "no markup"
    assert not any(address_of(app, name) == text for name, text in asked.items())


@pytest.mark.parametrize("shared", ["two runs"], indirect=True)
@pytest.mark.parametrize("page", ["train", "evaluate", "predict", "walkthrough"])
def test_a_run_that_is_not_there_is_said(shelf: Shelf, page: str) -> None:
    app = open_app_page(page, run="x<b>y", **({"lesson": "result"} if page == "walkthrough" else {}))
    assert not app.error and "There is no run “x\\<b>y” here" in app.warning[0].value


def test_every_page_has_a_file_and_every_file_a_page() -> None:
    assert {path.stem for path in (PROJECT_ROOT / "pages").glob("*.py")} == set(PAGES)


def test_every_address_leads_to_one_page() -> None:
    everywhere = [address for name in PAGES for address in addresses(name)]
    assert len(everywhere) == len(set(everywhere))
    assert all(name_at(address) == name for name in PAGES for address in addresses(name))
    assert name_at("") == name_at("home") == "home"


def test_links_between_pages_lead_to_pages() -> None:
    paths = [*PROJECT_ROOT.glob("pages/*.py"), *PROJECT_ROOT.glob("aquadash/**/*.py")]
    linked = {found for path in paths for found in re.findall(r'"pages/(\w+)\.py"', path.read_text(encoding="utf-8"))}
    assert linked and linked <= set(PAGES)
