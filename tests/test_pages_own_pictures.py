"""Own pictures on the Data page, and a data set of them on the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aquadash.data.folder import about, store
from aquadash.data.folder.importing import NewDataSet
from aquadash.ui import address, warmup
from aquadash.ui.data import own_pictures
from tests.app_pages import address_of, open_app_page, texts
from tests.own_pictures import imported, in_archive, in_folder, of_classes, picture

#: Text of a stranger.
NASTY = "<b>x** $y$ [z](q)"


@pytest.fixture(autouse=True)
def session(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All pages of AppTest have one session, which ends with the test."""
    monkeypatch.setattr(warmup, "start", lambda: None)
    yield
    st.cache_resource.clear()


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    files = of_classes({"cat": 10, NASTY: 15}) | {"cat/bad.png": b"no"} | {"cat/again.png": picture(3)}
    return in_archive(tmp_path / "Pets.zip", files).read_bytes()


def kept(tmp_path: Path, title: str = "Pets") -> about.About:
    return imported(in_folder(tmp_path / "a", of_classes({"cat": 10, NASTY: 15}))).keep(title)


def labels(app: AppTest) -> list[str]:
    return [expander.label for expander in app.expander]


def drop(app: AppTest, archive: bytes) -> AppTest:
    app.file_uploader(key="own-zip").upload("Pets.zip", archive, "application/zip").run()
    return app.button(key="own-read").click().run()


def stored(home: Path) -> list[str]:
    return [path.name for path in (home / "datasets").iterdir()]


def test_an_archive_is_dropped_checked_divided_and_used(archive: bytes, home: Path) -> None:
    app = open_app_page("data")
    app.button(key="own-add").click().run()
    assert address_of(app, "add") == "zip" and app.button(key="own-read").disabled
    # What a field offers and the server refuses would be lost only after it came.
    assert app.file_uploader(key="own-zip").proto.max_upload_size_mb == st.get_option("server.maxUploadSize")
    drop(app, archive)
    assert not app.exception and not app.error
    assert [metric.value for metric in app.metric] == ["26", "1", "2", "32 × 32"]
    assert "Warning: 1 file could not be read as a picture" in labels(app)
    assert "Note: 1 pair of the same file twice in a class" in labels(app)
    assert "cat/bad.png" in texts(app)
    assert "**20 training images, 5 test images.** Left out: 1 exact copy." in texts(app)
    app.slider(key="own-fraction").set_value(40)
    app.select_slider(key="own-size").set_value(48)
    app.text_input(key="own-title-Pets.zip").set_value("Ours")
    app.button(key="own-read").click().run()
    assert "**15 training images, 10 test images.**" in texts(app) and app.metric[3].value == "48 × 48"
    assert len(stored(home)) == 1, "what was read before is gone"
    app.button(key="own-use").click().run()
    assert not app.exception and not app.error
    assert address_of(app, "source") == "folder-ours" and app.selectbox(key="data-set").value == "folder-ours"
    assert "“Ours” is ready" in texts(app)
    assert "&lt;b&gt;x** $y$ [z](q)" in texts(app) and "<b>x" not in texts(app)
    assert "**15** training images · **10** test images · **2** classes · **48 × 48** pixels" in texts(app)
    assert stored(home) == ["ours"]


def test_a_second_click_finds_the_pictures_kept(archive: bytes, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = drop(open_app_page("data", add="zip"), archive)
    button, keep = app.button(key="own-use"), NewDataSet.keep
    with monkeypatch.context() as patch:

        def cut_short(*args: Any, **options: Any) -> object:
            made = keep(*args, **options)
            for touched in ("session_state", "query_params"):
                patch.setattr(st, touched, Waiting())
            return made

        patch.setattr(NewDataSet, "keep", cut_short)
        button.click().run()
    button.click().run()
    assert not app.exception and not app.error and "“Pets” is ready" in texts(app)
    assert address_of(app, "source") == "folder-pets" and stored(home) == ["pets"]


def test_a_taken_name_is_refused_and_discarding_leaves_nothing(tmp_path: Path, archive: bytes, home: Path) -> None:
    pets = kept(tmp_path)
    app = drop(open_app_page("data", add="zip"), archive)
    app.button(key="own-use").click().run()
    assert "already" in app.error[0].value and app.metric[0].value == "26"
    app.button(key="own-discard").click().run()
    assert not app.exception and not app.metric and stored(home) == ["pets"] and about.all_kept() == {"pets": pets}
    app.button(key="own-back").click().run()
    assert not app.error and app.selectbox(key="data-set").value == "synthetic"


def test_the_end_of_a_session_leaves_nothing_of_what_it_read(home: Path, tmp_path: Path) -> None:
    pets = in_folder(tmp_path / "pets", of_classes({"cat": 9, "dog": 9}))
    hold = own_pictures.Held()
    for _ in range(2):
        hold.put(imported(pets))
    assert len(stored(home)) == 1
    hold.end()
    assert stored(home) == []
    hold.put(imported(pets))
    assert stored(home) == [] and hold.new is None, "it was read until after the end"


def test_pictures_that_went_with_the_connection_cannot_be_kept(archive: bytes, home: Path) -> None:
    app = drop(open_app_page("data", add="zip"), archive)
    st.cache_resource.clear()  # As Streamlit does for a session whose connection is lost.
    assert stored(home) == []
    app.button(key="own-use").click().run()
    assert not app.exception and "the connection was lost" in app.error[0].value and about.all_kept() == {}


def test_pictures_are_dropped_class_by_class_whatever_the_classes_are_called() -> None:
    app = open_app_page("data", add="classes")
    app.button(key="own-more").click().run()
    assert len(app.text_input) == 3
    for index in range(3):
        uploader = app.file_uploader(key=f"own-pictures-{index}")
        uploader.set_value([("same.png", picture(10 * index + n), "image/png") for n in range(5)]).run()
    assert "Give every class with pictures a name." in texts(app) and app.button(key="own-read").disabled
    for index, name in enumerate(("../cat", ".dog", "A:")):
        app.text_input(key=f"own-class-{index}").set_value(name).run()
    app.button(key="own-read").click().run()
    assert not app.exception and not app.error
    assert [metric.value for metric in app.metric][:3] == ["15", "0", "3"]
    app.text_input(key="own-title-15 dropped pictures").set_value("Three").run()
    app.button(key="own-use").click().run()
    assert about.about("three").class_names == ("-cat", "A:", "dog")


def test_a_problem_keeps_the_pictures_from_being_used(tmp_path: Path) -> None:
    archive = in_archive(tmp_path / "one.zip", of_classes({"cat": 9})).read_bytes()
    app = drop(open_app_page("data", add="zip"), archive)
    assert "Problem: There is only one class" in labels(app) and app.button(key="own-use").disabled


def test_what_cannot_be_read_is_said_and_leaves_nothing(home: Path) -> None:
    app = drop(open_app_page("data", add="zip"), b"Rar!")
    assert "Pets.zip is not a sound ZIP archive" in app.error[0].value and stored(home) == [] and not app.metric


def test_only_the_owner_s_import_folder_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app_page("data", add="server")
    assert "Expected: zip, classes" in app.info[0].value
    folder = in_folder(tmp_path / "import", of_classes({"pets/cat": 6, "pets/dog": 6}) | {"note.txt": b"", ".x/y": b""})
    (folder / "link").symlink_to(tmp_path)
    monkeypatch.setenv("AQUADASH_IMPORT", str(folder))
    assert list(own_pictures.server_choices()) == ["pets"]
    app = open_app_page("data", add="server")
    assert app.selectbox(key="own-server").options == ["pets"]
    app.button(key="own-read").click().run()
    assert [metric.value for metric in app.metric][:3] == ["12", "0", "2"]


class Waiting:
    """The session, or the address, while a second click waits: it ends the script where that next touches them."""

    def touch(self, *_: object) -> None:
        st.stop()

    __setitem__ = get = pop = clear = from_dict = touch


def test_own_pictures_are_deleted_once_that_was_asked(tmp_path: Path) -> None:
    made = kept(tmp_path)
    app = open_app_page("data", source=made.source)
    app.button(key="own-delete").click().run()
    assert "keep their results" in texts(app) and "cannot be undone" in texts(app)
    app.button(key="own-delete-no").click().run()
    assert about.all_kept() and app.selectbox(key="data-set").value == made.source
    app.button(key="own-delete").click().run()
    app.button(key="own-delete-yes").click().run()
    assert not app.exception and not app.error and about.all_kept() == {}
    assert app.selectbox(key="data-set").value == "synthetic"


def test_a_second_click_finds_own_pictures_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app_page("data", source=kept(tmp_path).source)
    app.button(key="own-delete").click().run()
    button, delete = app.button(key="own-delete-yes"), store.delete
    with monkeypatch.context() as patch:

        def cut_short(name: str) -> None:
            delete(name)
            for touched in ("session_state", "query_params"):
                patch.setattr(st, touched, Waiting())

        patch.setattr(store, "delete", cut_short)
        button.click().run()
    button.click().run()
    assert not app.exception and not app.error and app.selectbox(key="data-set").value == "synthetic"


def test_another_data_set_opens_at_its_first_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "LATE_SECONDS", 0.0)  # Whoever goes back has looked at the page first.
    made = kept(tmp_path)
    app = open_app_page("data", show="10", page="2")
    app.selectbox(key="data-set").set_value(made.source).run()
    assert app.number_input(key="page").value == 1 and address_of(app, "page") is None
    # Back leads through an address that only the data set had changed in.
    for source in (made.source, "synthetic"):
        app.query_params.update(source=source, page="2")
        assert app.run().number_input(key="page").value == 2 and address_of(app, "page") == "2"


@pytest.mark.parametrize(("page", "view"), [("data", "numbers"), ("augment", None), ("train", None)])
def test_pages_take_a_data_set_of_own_pictures(tmp_path: Path, page: str, view: str | None) -> None:
    made = kept(tmp_path)
    app = open_app_page(page, source=made.source, **({"view": view} if view else {}))
    assert not app.error, app.error[0].value
    assert app.selectbox(key="data-set").value == made.source
