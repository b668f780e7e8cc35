"""The table of runs on the compare page: conditions, filters, groups, columns, tags and actions for many runs."""

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.store import Run, RunStatus, RunStore
from aquadash.ui.kit.text import safe_markdown
from tests.support.app_pages import address_of, open_app_page, unfold, words
from tests.support.runs import make_run, three_runs

open_page = partial(open_app_page, "compare")
HOSTILE_NOTE = (
    "# Log in\n![spy](https://spy.example/pixel.png) <img src=https://spy.example/2.png> ![ref][r]\n\n"
    "[r]: https://spy.example/3.png\n:red[red] :material/warning: <script>alert(1)</script> **bold**"
)


@pytest.fixture
def three(store: RunStore, no_engine: None) -> tuple[Run, Run, Run]:
    runs = three_runs(store)
    store.change_tags(runs[1].run_id, add=["flip"])
    return runs


def names(app: AppTest, table: int = 0) -> list[str]:
    return list(app.dataframe[table].value["Name"])


@pytest.mark.usefixtures("three")
def test_a_condition_filters_and_stands_in_the_address() -> None:
    app = unfold(open_page(), "filters-box")
    app.text_input(key="where").set_value("test_accuracy > 0.6 and tags like '%flip%'").run()
    assert names(app) == ["two"]
    assert address_of(app, "where") == "test_accuracy > 0.6 and tags like '%flip%'"

    app.text_input(key="where").set_value("test_acuracy > 0.6").run()
    assert names(app) == ["three", "two", "one"], "what cannot be used filters nothing"
    assert "Did you mean" in words(app)


def test_plain_filters(store: RunStore, three: tuple[Run, Run, Run]) -> None:
    one, two, adam = three
    store.update(one.run_id, archived=True)
    store.set_pinned(two.run_id)
    store.set_note(two.run_id, "for the poster")
    make_run(store, "trial", adam.config, status=RunStatus.QUEUED, search_id="a" * 32)
    make_run(store, "waits", {"data.source": "cifar100"}, status=RunStatus.QUEUED)

    app = open_page()
    assert names(app) == ["📌 two", "waits", "🔎 trial, best of 1 trial", "three"], "pinned first; no archived runs"
    assert "· 1 archived." in words(app)
    assert names(open_page(archived="1", trials="1")) == ["📌 two", "waits", "trial", "three", "🗃️ one"]
    assert names(open_page(status="finished", pinned="1")) == ["📌 two"]
    assert names(open_page(tag="flip")) == ["📌 two"]
    assert names(open_page(find="POSTER optimizer=sgd")) == ["📌 two"]
    assert names(open_page(accuracy="60-85", trials="1")) == ["📌 two", "three"]
    app = open_page(accuracy="80-20")
    assert "Expected: two numbers" in words(app) and len(names(app)) == 4


@pytest.mark.usefixtures("three")
def test_groups_open_to_their_runs() -> None:
    app = open_page(group="all-but-seed")
    assert app.dataframe[0].value["Group"].tolist() == ["Optimizer: Adam", "Optimizer: SGD"]
    keys = app.selectbox(key="member").options
    app.selectbox(key="member").select_index(keys.index("Optimizer: SGD")).run()
    for each in (app, open_page(group="all-but-seed", member=address_of(app, "member") or "")):
        assert names(each, 1) == ["two", "one"]


def test_many_runs_are_tagged_pinned_archived_and_deleted(store: RunStore, three: tuple[Run, Run, Run]) -> None:
    app = unfold(open_page(), "actions")
    app.button(key="pick-all").click().run()
    app.text_input(key="bulk-add-tags").set_value("For Class, week 2")
    app.button(key="bulk-add-save").click().run()
    assert all({"for-class", "week-2"} <= set(store.get(run.run_id).tags) for run in three)
    app.multiselect(key="bulk-remove-tags").select("week-2")
    app.button(key="bulk-remove-save").click().run()
    assert store.get(three[1].run_id).tags == ("flip", "for-class")
    app.button(key="bulk-pinned-1").click().run()
    assert all(store.get(run.run_id).pinned for run in three)
    app.button(key="bulk-archived-1").click().run()
    assert all(store.get(run.run_id).archived for run in three) and "No run matches the filters" in words(app)
    app.button(key="bulk-archived-0").click().run()

    app.button(key="bulk-delete").click().run()
    assert all(store.get(run.run_id).deleted for run in three)
    assert "Deleted **3 runs**" in words(app)
    app.button(key=f"undo-{three[2].run_id}").click().run()
    assert not any(store.get(run.run_id).deleted for run in three) and len(names(app)) == 3
    assert "Deleted" not in words(app)


def test_a_tag_that_cannot_be_is_refused_and_a_run_at_work_stays(store: RunStore, no_engine: None) -> None:
    works, done = make_run(store, "works", status=RunStatus.RUNNING), make_run(store, "done")
    app = unfold(open_page(runs=f"{works.run_id},{done.run_id}"), "actions")
    app.text_input(key="bulk-add-tags").set_value("<b>")
    app.button(key="bulk-add-save").click().run()
    assert "cannot be a tag" in words(app) and not store.get(done.run_id).tags
    app.button(key="bulk-delete").click().run()
    assert store.get(done.run_id).deleted and not store.get(works.run_id).deleted
    assert "1 run could not be changed" in words(app) and "Stop it before" in words(app)


def test_a_search_is_one_row_that_lists_its_trials(store: RunStore, three: tuple[Run, Run, Run]) -> None:
    trials = [make_run(store, f"hunt #{number}", three[0].config, search_id="5" * 32) for number in range(3)]
    for run, accuracy in zip(trials, (0.4, 0.6, 0.45), strict=True):
        store.update(run.run_id, metrics={"val_accuracy": accuracy})
    app = unfold(open_page(runs=trials[1].run_id), "actions")
    assert names(app) == ["🔎 hunt #1, best of 3 trials", "three", "two", "one"]
    assert names(open_page(accuracy="30-49")) == ["🔎 hunt #2, best of 2 of 3 trials"]
    app.button(key=f"trials-{trials[1].run_id}").click().run()
    assert names(app) == ["hunt #2", "hunt #1", "hunt #0"]
    assert address_of(app, "trials") == "1" and address_of(app, "find") == "5" * 32
    assert open_page(group="all-but-seed").dataframe[0].value["Runs"].sum() == 3, "no trial is in a group"


def test_a_note_shows_no_picture_and_no_sign_of_the_page(store: RunStore, three: tuple[Run, Run, Run]) -> None:
    store.set_note(three[0].run_id, HOSTILE_NOTE)
    app = unfold(open_page(runs=three[0].run_id), "actions")
    shown = next(text for text in app.markdown if "spy.example" in str(text.value))
    assert shown.value == safe_markdown(HOSTILE_NOTE) and not shown.allow_html
    assert "![" not in shown.value and ":red[" not in shown.value and ":material/" not in shown.value
