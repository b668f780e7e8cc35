"""The compare page: the table of runs, its filters and groups, what can be done with runs, and its sections."""

import re
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.lab import memory
from aquadash.store import Run, RunStatus, RunStore
from aquadash.ui.compare import run_table
from aquadash.ui.compare.page import SECTIONS
from aquadash.ui.kit.text import plain, safe_markdown
from tests.support.app_pages import address_of, charts, click, figure_of, ids, metrics, open_app_page, unfold, words
from tests.support.runs import HOSTILE, make_run, skilled, three_runs
from tests.support.weights_files import keras_file

pytestmark = pytest.mark.usefixtures("no_engine")

open_page = partial(open_app_page, "compare")


@pytest.fixture(scope="module")
def shared_shelf(shared_store: RunStore) -> list[Run]:
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


@pytest.fixture
def shelf(shared_shelf: list[Run], in_shared_home: None) -> list[Run]:
    return shared_shelf


def test_empty_store_shows_the_way_out(store: RunStore) -> None:
    app = open_page()
    assert "nothing to compare yet" in words(app)
    assert not app.dataframe and not app.error


def test_table_shows_runs_in_every_status_and_hostile_names_as_text(shelf: list[Run]) -> None:
    app = open_page(runs=ids(*shelf[-2:]))
    shown = [str(element.value) for element in (*app.markdown, *app.caption, *app.info)]
    shown += [chart.proto.spec for chart in app.get("plotly_chart")]
    assert not any("<img" in text.replace("\\<", "") for text in shown)
    table = app.dataframe[0].value.set_index("Name")
    assert HOSTILE in table.index
    table = table.loc[[run.name for run in shelf[:6]]]
    statuses = [status.split()[1] for status in table["Status"]]
    assert statuses == ["finished", "waiting", "running", "interrupted", "failed", "stopped"]
    assert 50 < table.loc["done", "Test accuracy"] < 70 and table["Test accuracy"].drop("done").isna().all()


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


HOSTILE_NOTE = (
    "# Log in\n![spy](https://spy.example/pixel.png) <img src=https://spy.example/2.png> ![ref][r]\n\n"
    "[r]: https://spy.example/3.png\n:red[red] :material/warning: <script>alert(1)</script> **bold**"
)


def test_a_run_is_renamed_noted_without_pictures_or_markup_and_tagged(store: RunStore) -> None:
    run = make_run(store, "old name")
    # Version 0.6.0 took such tags from other programs.
    store.update(run.run_id, tags=["Too Dark", "a/b"])
    app = unfold(open_page(runs=run.run_id), "actions")
    app.text_input(key=f"name-{run.run_id}").set_value(" new name ")
    app.text_area(key=f"note-{run.run_id}").set_value(HOSTILE_NOTE)
    app.text_input(key=f"tags-{run.run_id}").set_value("a/b, Too Dark, c/d")
    app.button(key=f"save-{run.run_id}").click().run()
    assert any("'c/d' cannot be a tag" in box.value for box in app.error) and store.get(run.run_id).name == "old name"
    app.text_input(key=f"tags-{run.run_id}").set_value("a/b, new, Other one")
    app.button(key=f"save-{run.run_id}").click().run()
    saved = store.get(run.run_id)
    assert (saved.name, saved.note, saved.tags) == ("new name", HOSTILE_NOTE, ("a/b", "new", "other-one"))
    assert app.dataframe[0].value["Name"].tolist() == ["new name"]
    shown = next(text for text in app.markdown if "spy.example" in str(text.value))
    assert shown.value == safe_markdown(HOSTILE_NOTE) and not shown.allow_html
    assert "![" not in shown.value and ":red[" not in shown.value and ":material/" not in shown.value


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


def test_a_run_is_deleted_and_comes_back_from_the_bin(store: RunStore) -> None:
    run, _ = make_run(store, "gone *soon*"), make_run(store, "stays")
    app = unfold(open_page(runs=run.run_id), "actions")
    app.button(key="bulk-delete").click().run()
    assert store.get(run.run_id).deleted and not app.error and address_of(app, "runs") is None
    assert any(plain("gone *soon*") in text.value and "Deleted" in text.value for text in app.markdown)
    app.session_state["bin"] = True
    app.run()
    app.multiselect(key="bin-runs").select(run.run_id).run()
    app.button(key="restore").click().run()
    assert not store.get(run.run_id).deleted
    assert sorted(app.dataframe[0].value["Name"]) == ["gone *soon*", "stays"]
    assert "Deleted" not in words(app)


@pytest.fixture
def three(store: RunStore) -> tuple[Run, Run, Run]:
    runs = three_runs(store)
    store.change_tags(runs[1].run_id, add=["flip"])
    return runs


def names(app: AppTest, table: int = 0) -> list[str]:
    return list(app.dataframe[table].value["Name"])


def test_filters_stand_in_the_address(store: RunStore, three: tuple[Run, Run, Run]) -> None:
    one, two, _ = three
    store.update(one.run_id, archived=True)
    store.set_pinned(two.run_id)
    store.set_note(two.run_id, "for the poster")
    make_run(store, "waits", {"data.source": "cifar100"}, status=RunStatus.QUEUED)
    app = open_page()
    assert names(app) == ["📌 two", "waits", "three"] and "· 1 archived." in words(app)
    assert names(open_page(archived="1")) == ["📌 two", "waits", "three", "🗃️ one"]
    assert names(open_page(accuracy="60-85")) == ["📌 two", "three"]
    for address in ({"status": "finished", "pinned": "1"}, {"tag": "flip"}, {"find": "POSTER optimizer=sgd"}):
        assert names(open_page(**address)) == ["📌 two"]
    app = open_page(accuracy="80-20")
    assert "Expected: two numbers" in words(app) and len(names(app)) == 3
    unfold(app, "filters-box").text_input(key="where").set_value("tags like '%flip%'").run()
    assert names(app) == ["📌 two"] and address_of(app, "where") == "tags like '%flip%'"
    app.text_input(key="where").set_value("test_acuracy > 0.6").run()
    assert "Did you mean" in words(app) and len(names(app)) == 3, "what cannot be used filters nothing"


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
    app.button(key="bulk-pinned-1").click().run()
    assert store.get(three[1].run_id).tags == ("flip", "for-class") and all(
        store.get(run.run_id).pinned for run in three
    )
    app.button(key="bulk-archived-1").click().run()
    assert all(store.get(run.run_id).archived for run in three) and "No run matches the filters" in words(app)
    app.button(key="bulk-archived-0").click().run()
    works = make_run(store, "works", status=RunStatus.RUNNING)
    memory.refresh()
    app.multiselect(key="runs").select(works.run_id).run()
    app.button(key="bulk-delete").click().run()
    assert all(store.get(run.run_id).deleted for run in three) and not store.get(works.run_id).deleted
    assert "Deleted **3 runs**" in words(app) and "works is running. Stop it before" in words(app)
    app.button(key=f"undo-{three[2].run_id}").click().run()
    assert not any(store.get(run.run_id).deleted for run in three) and len(names(app)) == 4
    assert "Deleted" not in words(app)


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


@pytest.fixture(scope="module")
def shared_trio(shared_store: RunStore, tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Two runs of like skill with different settings, and a better one."""
    file = tmp_path_factory.mktemp("networks") / "model.keras"
    runs = [
        make_run(shared_store, "plain", predictions=skilled(0.5), history=8),
        make_run(shared_store, "other seed", {"seed": 5}, predictions=skilled(0.52, seed=1)),
        make_run(shared_store, "better", {"training.optimizer": "adam"}, predictions=skilled(0.8, seed=2)),
    ]
    for count, run in enumerate(runs, start=1):
        shared_store.add_artifact(run.run_id, keras_file(file, 1000 * count))
    return runs


@pytest.fixture
def trio(shared_trio: list[Run], in_shared_home: None) -> list[Run]:
    return shared_trio


@pytest.mark.parametrize("section", SECTIONS.table)
def test_sections_are_drawn_without_results_too(trio: list[Run], shelf: list[Run], section: str) -> None:
    waits, works, broke = shelf[1], shelf[2], shelf[4]
    app = open_page(runs=ids(*trio, waits, works, broke), section=section)
    assert not app.error and all(charts(app))
    shown = {"images": "aqua-cards" in words(app), "settings": len(app.dataframe) > 1}
    assert charts(app) or shown[section]
    assert not open_page(runs=ids(waits, works, broke), section=section).error


def test_two_ticks_show_the_answer_and_what_differs(trio: list[Run], shelf: list[Run]) -> None:
    plain, other_seed, better = trio
    app = open_page(runs=ids(plain, better))
    assert re.search(r"\*\*better\*\* is \d+\.\d points better than \*\*plain\*\* on 375 validation", words(app))
    assert "**Different:** Optimizer: Adam vs SGD" in words(app)
    assert "which may be luck" in words(open_page(runs=ids(other_seed, plain)))
    assert "once two of these runs have results" in words(open_page(runs=ids(plain, shelf[1])))


def test_runs_at_work_show_their_progress_and_can_be_stopped(store: RunStore) -> None:
    one, two = (make_run(store, name, status=RunStatus.QUEUED) for name in ("heron *x*", "stork"))
    app = open_page(runs=ids(one, two))
    told = [bar.proto.text for bar in app.get("progress")]
    assert len(told) == 2 and all(text.endswith("waits for its turn") and "*x*" not in text for text in told)
    app.button(key="stop-compared").click().run()
    assert {store.get(run.run_id).status for run in (one, two)} == {RunStatus.STOPPED}
    failed = make_run(store, "broke again", status=RunStatus.FAILED, message="The loss is no number.")
    waits = make_run(store, "waits again", status=RunStatus.QUEUED)
    reason = "**broke again** ended without results (failed). The loss is no number."
    assert reason in words(open_page(runs=ids(failed, waits)))


def test_a_run_has_one_validation_accuracy_on_every_page(store: RunStore) -> None:
    run = make_run(store, "one", predictions=skilled(0.64, seed=1))
    other = make_run(store, "other", predictions=skilled(0.4, seed=2))
    app = open_page(runs=ids(run, other))
    table = app.dataframe[0].value.set_index("Name")
    assert f"{table.loc['one', 'Validation accuracy']:.0f}" == "64"
    assert any("one 64 % (" in alt for alt in charts(app)), "of the stored predictions"
    assert metrics(open_app_page("train", run=run.run_id))["Validation accuracy"] == "64 %"
    evaluate = open_app_page("evaluate", run=run.run_id)
    assert "64 %" in next(text for text in evaluate.selectbox(key="run").options if text.startswith("one ·"))


def test_results_are_by_validation_images_where_all_kept_them(shared_store: RunStore, trio: list[Run]) -> None:
    app = open_page(runs=ids(*trio), section="curves", first=trio[0].run_id, second=trio[2].run_id)
    assert "Best of 3: **better** is" in words(app) and "Of 375 validation images, **better** gets" in words(app)
    click(app, "pair-matrix", [0, 2])
    assert (address_of(app, "first"), address_of(app, "second")) == (trio[2].run_id, trio[0].run_id)
    assert "**plain** gets" in words(app), "the row of the cell against its column"
    app.segmented_control(key="on").set_value("test").run()
    assert "Of 500 test images" in words(app) and "final measurement" in words(app)
    assert address_of(app, "on") == "test"
    app = open_page(runs=ids(trio[0], trio[2]), section="confusion")
    cells = figure_of(app, -1)["data"][0]["text"]
    assert sum(int(cells[label][label] or 0) for label in range(5)) > 0, "the difference is that to the better run"
    without = make_run(shared_store, "older", predictions={"test": skilled(0.5, seed=9)["test"]})
    app = open_page(runs=ids(trio[0], without))
    assert app.segmented_control(key="on").value == "test" and "last measurement" not in words(app)


def test_different_data_is_warned_of_and_not_compared(store: RunStore) -> None:
    drawn = make_run(store, "drawn", predictions=skilled(0.6))
    photos = make_run(store, "photos", {"data.source": "cifar100"}, dataset_fingerprint="e" * 64)
    app = open_page(runs=ids(drawn, photos))
    assert "learned from different data" in words(app) and "accuracies cannot be compared" in words(app)
    elsewhere = make_run(store, "elsewhere", {"data.source": "cifar100"}, predictions=skilled(0.7))
    verdict = words(open_page(runs=ids(drawn, elsewhere)))
    assert "**elsewhere** is" in verdict and "cannot be compared" not in verdict, "the same images from another source"
