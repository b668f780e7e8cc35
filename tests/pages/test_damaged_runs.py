"""A run that cannot be read is one row that says so and can be deleted; it costs no other run its place."""

import pytest

from aquadash.pages import PAGES
from aquadash.store import Predictions, Run, RunStore
from tests.cli.test_cli import answer, refusal
from tests.support.app_pages import open_app_page
from tests.support.runs import make_run

pytestmark = pytest.mark.usefixtures("no_engine")

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


@pytest.mark.parametrize("page", [name for name, page in PAGES.items() if not page.class_only])
def test_every_page_opens(in_shared_home: None, damaged: Run, page: str) -> None:
    assert not open_app_page(page).error
    app = open_app_page(page, run=damaged.run_id)
    said = [box.value for box in app.error]
    assert all("cannot be read" in text for text in said) and len(said) == (page in ("train", "evaluate", "predict"))


def test_commands_say_so_and_delete_it(store: RunStore) -> None:
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


def test_answers_for_images_that_there_are_not_show_none(store: RunStore) -> None:
    run = make_run(store, "beyond")
    said = store.predictions(run.run_id)
    store.add_predictions(run.run_id, Predictions(said.indices + 1, said.labels, said.probabilities))
    app = open_app_page("evaluate", run=run.run_id, true="otter", predicted="seal")
    assert any("images cannot be shown" in box.value for box in app.info) and app.metric
    assert not open_app_page("evaluate", run=run.run_id, section="explain").error
    assert not open_app_page("compare", runs=run.run_id).error
