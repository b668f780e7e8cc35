"""Every page opens in a new home, every section but the lesson's with two runs, and all beside damaged runs."""

import re
from pathlib import Path

import pytest

from aquadash.pages import PAGES, addresses, name_at
from aquadash.people import Role
from aquadash.settings import PROJECT_ROOT
from aquadash.store import Predictions, Run, RunStore
from aquadash.ui.kit import sections
from tests.cli.test_cli import answer, refusal
from tests.support.app_pages import address_notes, address_of, charts, html, ids, open_app_page, words
from tests.support.lessons import join, look_as, open_class
from tests.support.runs import make_run, skilled

#: Each page with what its address says of each of its sections. Those of the lesson are drawn in
#: tests/pages/test_walkthrough.py.
PLACES = [(page, query) for page in PAGES for query in sections.queries(page)[: 1 if page == "walkthrough" else None]]

#: The pages that are there without a class, too.
OPEN_PAGES = [name for name, record in PAGES.items() if not record.class_only]

#: Malformed values in the address of a page or section.
MALFORMED: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("data", {}, {"source": "zoo", "classes": "cat", "split": "middle", "show": "3", "page": "one", "view": "x"}),
    ("augment", {}, {"source": "zoo", "pipeline": "notebook-9", "seed": "-1", "images": "1,2500", "view": "sky"}),
    ("train", {}, {"preset": "nonsense", "source": "<b>"}),
    ("train", {"view": "search"}, {"base": "<b>", "source": "moon"}),
    ("evaluate", {}, {"true": "cat", "predicted": "<b>x</b>", "outcome": "maybe", "confidence": "90-50", "show": "7"}),
    ("evaluate", {"section": "curves"}, {"curve": "x", "with": "nobody"}),
    ("evaluate", {"section": "calibration"}, {"bin": "99", "with": "nobody"}),
    ("predict", {}, {"sample": "-3", "input": "fax"}),
    ("quiz", {}, {"image": "<b>1</b>"}),
    ("compare", {"section": "curves"}, {"smooth": "2", "x": "z", "metric": "nonsense"}),
    ("walkthrough", {}, {"lesson": "<b>", "me": "../../etc/passwd"}),
]


@pytest.fixture(scope="module")
def shared_runs(shared_store: RunStore) -> list[Run]:
    return [
        make_run(shared_store, name, predictions=skilled(0.6, seed=seed)) for seed, name in enumerate(("one", "other"))
    ]


@pytest.fixture
def runs(shared_runs: list[Run], in_shared_home: None) -> list[Run]:
    """Two, in a home that the tests of this module share: looking at pages changes nothing that another would see."""
    return shared_runs


@pytest.mark.parametrize(("page", "query"), PLACES)
def test_every_section_is_drawn(runs: list[Run], page: str, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if PAGES[page].class_only:
        open_class(monkeypatch)
        look_as(monkeypatch, join("Ms Hill", Role.TEACHER)[1])
    name, _, word = query.partition("=")
    app = open_app_page(page, run=runs[0].run_id, runs=ids(*runs), **({name: word} if query else {}))
    assert not app.error and not address_notes(app)
    record = PAGES[page]
    assert app.title[0].value == f"{record.icon} {record.heading or record.title}"
    assert app.markdown[0].value == record.question
    assert all(charts(app))
    table = sections.of_page(page)
    if table is not None:
        assert app.session_state[name] == word
        assert address_of(app, name) == (None if word == next(iter(table.table)) else word)


@pytest.mark.parametrize("page", OPEN_PAGES)
def test_every_page_is_drawn_in_a_new_home(warm_home: Path, no_engine: None, page: str) -> None:
    app = open_app_page(page)
    assert not app.error and not address_notes(app)
    assert app.markdown[0].value == PAGES[page].question


@pytest.mark.parametrize(("page", "place", "malformed"), MALFORMED)
def test_a_malformed_address_is_said(
    runs: list[Run], page: str, place: dict[str, str], malformed: dict[str, str]
) -> None:
    about = {"run": runs[0].run_id} if page == "evaluate" else {"runs": ids(*runs)}
    app = open_app_page(page, **about, **place, **malformed)
    notes = address_notes(app)
    assert not app.error
    assert sorted(note.split()[4] for note in notes) == sorted(malformed)
    assert not any(re.search(r"(?<!\\)<", note) for note in notes), "no markup"
    assert not any(address_of(app, name) == text for name, text in malformed.items())


@pytest.mark.parametrize("page", ["train", "evaluate", "predict", "walkthrough"])
def test_a_run_that_is_not_there_is_said(runs: list[Run], page: str) -> None:
    app = open_app_page(page, run="x<b>y", **({"lesson": "result"} if page == "walkthrough" else {}))
    assert not app.error and "There is no run “x\\<b>y” here" in app.warning[0].value


def test_a_guess_shows_both_answers_and_the_score_and_next_another_image(
    runs: list[Run], shared_store: RunStore
) -> None:
    run = runs[0]
    app = open_app_page("quiz", run=run.run_id, image="7")
    assert not app.metric and "Network:" not in words(app) and "data-opens" not in html(app)
    predictions = shared_store.predictions(run.run_id)
    true = run.class_names[int(predictions.labels[predictions.indices.tolist().index(7)])]
    app.button(key=f"guess-{true}").click().run()
    assert f"{true}**. You:" in words(app) and "Network:" in words(app) and "data-opens" in html(app)
    assert [(metric.label, metric.value) for metric in app.metric][0] == ("You", "100 %")
    assert app.button(key=f"guess-{true}").disabled
    app.button(key="quiz-next").click().run()
    assert address_of(app, "image") != "7" and "Network:" not in words(app)
    assert len(app.metric) == 2, "the score stays"

    values = answer("quiz", run.run_id, "3", "otter")
    network = int(predictions.probabilities[predictions.indices.tolist().index(3)].argmax())
    assert values["guess"] == "otter" and values["network"] == run.class_names[network]
    assert values["guess_right"] == (values["true"] == "otter")
    assert "no class called 'cat'" in refusal("quiz", run.run_id, "3", "cat")
    assert "no test image called '999'" in refusal("quiz", run.run_id, "999", "otter")


def test_every_file_is_a_page_and_every_address_leads_to_one_page() -> None:
    assert {path.stem for path in (PROJECT_ROOT / "pages").glob("*.py")} == set(PAGES)
    everywhere = [address for name in PAGES for address in addresses(name)]
    assert len(everywhere) == len(set(everywhere))
    assert all(name_at(address) == name for name in PAGES for address in addresses(name))
    assert name_at("") == name_at("home") == "home"


#: Values that another program or a later version may write into the store.
DAMAGE = {
    "metrics": 5,
    "class_names": ["otter", None],
    "config": {"training": {"epochs": "many"}},
    "status": "pondering",
}


def damage(store: RunStore) -> Run:
    """Store damaged runs, one for each kind of damage, after a sound one; return the newest."""
    make_run(store, "sound")
    for name, value in DAMAGE.items():
        run = make_run(store, f"bad-{name}")
        store.update(run.run_id, **{name: value})
    return run


@pytest.fixture(scope="module")
def damaged(shared_store: RunStore) -> Run:
    return damage(shared_store)


@pytest.mark.parametrize("page", OPEN_PAGES)
def test_every_page_opens_beside_damaged_runs(in_shared_home: None, damaged: Run, page: str) -> None:
    assert not open_app_page(page).error
    app = open_app_page(page, run=damaged.run_id)
    said = [box.value for box in app.error]
    assert all("cannot be read" in text for text in said) and len(said) == (page in ("train", "evaluate", "predict"))


def test_commands_name_a_damaged_run_and_delete_it(store: RunStore) -> None:
    damage(store)
    listed = answer("runs", "list")["runs"]
    unreadable = {f"bad-{name}": "unreadable" for name in DAMAGE}
    assert {row["name"]: row["status"] for row in listed} == {"sound": "finished"} | unreadable
    for command in (["runs", "show"], ["evaluate"], ["compare", "sound"]):
        assert "cannot be read" in refusal(*command, "bad-metrics"), command
    for name in DAMAGE:
        assert answer("runs", "delete", f"bad-{name}")["deleted"]
    assert [run.name for run in store.list_runs()] == ["sound"]
    assert answer("runs", "restore", "bad-metrics")["status"] == "unreadable"
    assert {run.name for run in store.list_runs()} == {"sound", "bad-metrics"}


def test_answers_for_images_that_do_not_exist_show_none(store: RunStore, no_engine: None) -> None:
    run = make_run(store, "beyond")
    said = store.predictions(run.run_id)
    store.add_predictions(run.run_id, Predictions(said.indices + 1, said.labels, said.probabilities))
    app = open_app_page("evaluate", run=run.run_id, true="otter", predicted="seal")
    assert any("images cannot be shown" in box.value for box in app.info) and app.metric
    assert not open_app_page("evaluate", run=run.run_id, section="explain").error
    assert not open_app_page("compare", runs=run.run_id).error
