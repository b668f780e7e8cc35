"""The compare page: the table of runs, picking, and what can be done with a run."""

from functools import partial

import pytest

from aquadash.lab import memory
from aquadash.store import Run, RunStatus, RunStore
from aquadash.store.fields import known_fields
from aquadash.ui.compare import run_table
from aquadash.ui.kit.text import plain
from tests.support.app_pages import address_of, ids, open_app_page, unfold, words
from tests.support.runs import HOSTILE, make_run, skilled

pytestmark = pytest.mark.usefixtures("no_engine")

open_page = partial(open_app_page, "compare")


@pytest.fixture(scope="module")
def shelf(shared_store: RunStore) -> list[Run]:
    """Runs of the shared home in every status, then two whose names are odd; the oldest first."""
    return [
        make_run(shared_store, "done", predictions=skilled(0.6)),
        make_run(shared_store, "waits", status=RunStatus.QUEUED),
        make_run(shared_store, "works", status=RunStatus.RUNNING),
        make_run(shared_store, "cut off", status=RunStatus.INTERRUPTED),
        make_run(shared_store, "broke", status=RunStatus.FAILED, message="bad"),
        make_run(shared_store, "halted", status=RunStatus.STOPPED, history=0),
        make_run(shared_store, HOSTILE),
        make_run(shared_store, "long name " * 12, predictions=skilled(0.6, seed=1)),
    ]


def test_empty_store_shows_the_way_out(store: RunStore) -> None:
    app = open_page()

    assert "nothing to compare yet" in words(app)
    assert not app.dataframe and not app.error


@pytest.mark.usefixtures("in_shared_home")
def test_table_shows_runs_in_every_status(shelf: list[Run]) -> None:
    table = open_page().dataframe[0].value.set_index("Name").loc[[run.name for run in shelf[:6]]]
    words_of = table["Status"].str.split().str[1]
    assert words_of.to_dict() == {
        "done": "finished",
        "waits": "waiting",
        "works": "running",
        "cut off": "interrupted",
        "broke": "failed",
        "halted": "stopped",
    }
    assert 50 < table.loc["done", "Test accuracy"] < 70 and table["Test accuracy"].drop("done").isna().all()


@pytest.mark.parametrize(("images", "format"), [(500, "%.0f %%"), (10_000, "%.1f %%")])
def test_an_accuracy_has_as_many_digits_as_its_interval_supports(store: RunStore, images: int, format: str) -> None:
    run = make_run(store, predictions=skilled(0.6), test_images=images)
    assert run_table.table_column("test_accuracy", [run], known_fields()).config["type_config"]["format"] == format


@pytest.mark.usefixtures("in_shared_home")
def test_picks_stand_in_the_address_and_ticks_follow_the_menu(shelf: list[Run]) -> None:
    first, last = shelf[0], shelf[-1]
    app = open_page(runs=f"{first.run_id[:8]},beefbeef,../../x,,<b>")
    assert "4 runs of this link cannot be found" in words(app)
    assert app.multiselect(key="runs").value == [first.run_id] and address_of(app, "runs") == first.run_id

    app.multiselect(key="runs").select(last.run_id).run()
    key = run_table.table_key([run.run_id for run in reversed(shelf)], app.session_state["compare:table"])
    assert sorted(app.session_state[key]["selection"]["rows"]) == [0, 7]
    assert address_of(app, "runs") == ids(first, last)
    assert open_page(runs=ids(first, last)).multiselect(key="runs").value == [first.run_id, last.run_id]


def test_a_run_is_renamed_noted_and_tagged(store: RunStore) -> None:
    run = make_run(store, "old name")
    # Version 0.6.0 took such tags from other programs.
    store.update(run.run_id, tags=["Too Dark", "a/b"])
    app = unfold(open_page(runs=run.run_id), "actions")
    app.text_input(key=f"name-{run.run_id}").set_value(" new name ")
    app.text_area(key=f"note-{run.run_id}").set_value("a *note*")
    app.text_input(key=f"tags-{run.run_id}").set_value("a/b, Too Dark, c/d")
    app.button(key=f"save-{run.run_id}").click().run()
    assert any("'c/d' cannot be a tag" in box.value for box in app.error) and store.get(run.run_id).name == "old name"
    app.text_input(key=f"tags-{run.run_id}").set_value("a/b, new, Other one")
    app.button(key=f"save-{run.run_id}").click().run()

    saved = store.get(run.run_id)
    assert (saved.name, saved.note, saved.tags) == ("new name", "a *note*", ("a/b", "new", "other-one"))
    assert app.dataframe[0].value["Name"].tolist() == ["new name"]
    assert any(text.value == "a *note*" for text in app.markdown)


def test_a_save_writes_only_what_was_changed_here(store: RunStore) -> None:
    run = make_run(store, "old name")
    store.change_tags(run.run_id, add=["first"])
    app = open_page(runs=run.run_id)
    assert not any(field.key == f"name-{run.run_id}" for field in app.text_input), "nor has a closed menu a field"
    unfold(app, "actions")

    store.rename(run.run_id, "their name")  # Another session changes the run while the page is open.
    store.set_note(run.run_id, "their note")
    store.change_tags(run.run_id, add=["theirs"])
    memory.refresh()
    app.text_input(key=f"tags-{run.run_id}").set_value("mine")
    app.button(key=f"save-{run.run_id}").click().run()
    saved = store.get(run.run_id)
    assert (saved.name, saved.note, saved.tags) == ("their name", "their note", ("mine", "theirs"))
    assert app.text_input(key=f"name-{run.run_id}").value == "their name"
    assert app.text_area(key=f"note-{run.run_id}").value == "their note"
    assert app.text_input(key=f"tags-{run.run_id}").value == "mine, theirs"


def test_a_run_is_deleted_and_comes_back_elsewhere_and_from_the_bin(store: RunStore) -> None:
    run, _ = make_run(store, "gone *soon*"), make_run(store, "stays")
    app = unfold(open_page(runs=run.run_id), "actions")
    app.button(key="bulk-delete").click().run()
    store.restore(run.run_id)  # As the command line does.
    memory.refresh()
    app.multiselect(key="runs").select(run.run_id).run()
    app.button(key="bulk-delete").click().run()

    assert store.get(run.run_id).deleted and not app.error
    assert address_of(app, "runs") is None and words(app).count("Deleted **gone *soon***.") == 1
    assert any(plain("gone *soon*") in text.value and "Deleted" in text.value for text in app.markdown)
    app.session_state["bin"] = True
    app.run()
    app.multiselect(key="bin-runs").select(run.run_id).run()
    app.button(key="restore").click().run()
    assert not store.get(run.run_id).deleted
    assert sorted(app.dataframe[0].value["Name"]) == ["gone *soon*", "stays"]
    assert "Deleted" not in words(app)


@pytest.mark.usefixtures("in_shared_home")
def test_hostile_and_long_names_stay_text(shelf: list[Run]) -> None:
    app = open_page(runs=ids(*shelf[-2:]))

    assert HOSTILE in app.dataframe[0].value["Name"].tolist()
    shown = [str(element.value) for element in (*app.markdown, *app.caption, *app.info)]
    shown += [chart.proto.spec for chart in app.get("plotly_chart")]
    assert not any("<img" in text.replace("\\<", "") for text in shown)
