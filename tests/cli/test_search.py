"""``search`` on the command line: JSON and the plain words."""

from collections.abc import Iterator

import pytest

from aquadash.errors import ConfigError
from aquadash.search.store import SearchStore, open_search_store
from tests.cli.test_cli import answer, call, refusal
from tests.support.search_fakes import FakeEngine, plan, searching, take_up


@pytest.fixture
def store() -> SearchStore:
    return open_search_store()


@pytest.fixture
def runs(store: SearchStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """Searches of this process train nothing."""
    runs = FakeEngine()
    runs.gate.set()
    with searching(runs, monkeypatch):
        yield runs


def test_the_plain_form_of_the_command(runs: FakeEngine) -> None:
    values = answer("search", "--trials", 6, "--seed", 3, "--name", "mine", "--set", "training.epochs=7")
    assert values["name"] == "mine" and values["status"] == "finished" and values["seed"] == 3
    assert [trial["number"] for trial in values["trials"]] == list(range(6))
    assert {"number", "state", "value", "params", "run_id"} <= set(values["trials"][0])
    assert values["trials"][0]["value"] == values["default_value"]
    assert values["best"]["value"] == max(trial["value"] for trial in values["trials"])
    assert values["beats_default"] is (values["best"]["value"] > values["default_value"])
    assert sum(values["importance"].values()) == pytest.approx(1.0)
    assert set(values["importance"]) == set(values["trials"][0]["params"])
    assert "training.learning_rate=0.0001..0.1:log" in values["space"]  # A sensible subset by itself.
    assert all(run.config.training.epochs == 7 for run in runs.runs.values())


def test_list_show_and_resume_with_more(runs: FakeEngine) -> None:
    assert answer("search", "list") == {"searches": []}
    over = ("--over", "training.learning_rate=1..10", "--over", "training.batch_size=16,32")
    options = ("--sampler", "random", "--pruner", "median", "--trials", 2, "--name", "mine")
    made = answer("search", "run", *over, *options)
    search_id = made["search_id"]
    assert (made["sampler"], made["pruner"], made["budget"]) == ("random", "median", {"trials": 2})
    assert made["space"] == ["training.learning_rate=1..10", "training.batch_size=16,32"]
    assert answer("search", "list")["searches"][0]["search_id"] == search_id
    assert answer("search", "show", "mine")["search_id"] == search_id
    assert "all of its 2 trials" in refusal("search", "resume", "mine")
    assert len(answer("search", "resume", search_id[:8], "--trials", 3)["trials"]) == 3
    assert "mine" in call("search", "list").stdout
    shown = call("search", "show", "mine").stdout
    assert "3 complete" in shown and "No trial beats the settings to start from" in shown


def test_stop_asks_whoever_carries_it_out(store: SearchStore) -> None:
    search_id = store.submit(plan(name="mine"))
    take_up(search_id)
    assert answer("search", "stop", "mine")["search_id"] == search_id
    assert store.get(search_id).stop_requested


def test_a_search_that_fails_is_one_line(runs: FakeEngine) -> None:
    runs.gate.clear()
    runs.error = ConfigError("not like this")
    assert "5 trials failed in a row. not like this" in refusal("search", "--trials", 9)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--over", "training.learning_rat=1..2"), "Did you mean 'training.learning_rate'"),
        (("show", "nothing"), "no search called 'nothing'"),
        (("dance",), "unexpected extra argument"),
    ],
)
def test_what_cannot_be_is_one_line(arguments: tuple[object, ...], complaint: str) -> None:
    assert complaint in refusal("search", *arguments)
