"""The Data page: the images of a data set, its numbers, and own pictures."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aquadash.data import cifar100
from aquadash.data.folder import about
from aquadash.errors import DataError
from aquadash.ui.data import own_pictures
from tests.support.app_pages import address_of, html, open_app_page, texts
from tests.support.faults import let_fail
from tests.support.own_pictures import imported, in_archive, in_folder, of_classes, picture

#: A hostile class name.
NASTY = "<b>x** $y$ [z](q)"


@pytest.fixture(autouse=True)
def session(no_engine: None) -> Iterator[None]:
    """All pages of AppTest have one session, which ends with the test."""
    yield
    st.cache_resource.clear()


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    files = of_classes({"cat": 10, NASTY: 15}) | {"cat/bad.png": b"no"} | {"cat/again.png": picture(3)}
    return in_archive(tmp_path / "Pets.zip", files).read_bytes()


def kept(tmp_path: Path, title: str = "Pets") -> about.About:
    return imported(in_folder(tmp_path / "a", of_classes({"cat": 10, NASTY: 15}))).keep(title)


def drop(app: AppTest, archive: bytes) -> AppTest:
    app.file_uploader(key="own-zip").upload("Pets.zip", archive, "application/zip").run()
    return app.button(key="own-read").click().run()


def stored(home: Path) -> list[str]:
    return [path.name for path in (home / "datasets").iterdir()]


def test_an_archive_is_dropped_checked_divided_and_used(archive: bytes, home: Path) -> None:
    app = open_app_page("data")
    app.button(key="own-add").click().run()
    assert address_of(app, "add") == "zip" and app.button(key="own-read").disabled
    # The server refuses larger files, but only after the whole upload.
    assert app.file_uploader(key="own-zip").proto.max_upload_size_mb == st.get_option("server.maxUploadSize")
    drop(app, archive)
    assert not app.exception and not app.error
    assert [metric.value for metric in app.metric] == ["26", "1", "2", "32 × 32"]
    assert "Warning: 1 file could not be read as a picture" in [box.label for box in app.expander]
    assert "cat/bad.png" in texts(app)
    assert "**20 training images, 5 test images.** Left out: 1 exact copy." in texts(app)
    app.slider(key="own-fraction").set_value(40)
    app.select_slider(key="own-size").set_value(48)
    app.text_input(key="own-title-Pets.zip").set_value("Ours")
    app.button(key="own-read").click().run()
    assert "**15 training images, 10 test images.**" in texts(app) and app.metric[3].value == "48 × 48"
    assert len(stored(home)) == 1, "the earlier reading is deleted"
    app.button(key="own-use").click().run()
    assert not app.exception and not app.error
    assert address_of(app, "source") == "folder-ours" and app.selectbox(key="data-set").value == "folder-ours"
    assert "“Ours” is ready" in texts(app)
    assert "&lt;b&gt;x** $y$ [z](q)" in texts(app) and "<b>x" not in texts(app)
    assert "**15** training images · **10** test images · **2** classes · **48 × 48** pixels" in texts(app)
    assert stored(home) == ["ours"]


def test_a_taken_name_is_refused_and_discarding_leaves_nothing(tmp_path: Path, archive: bytes, home: Path) -> None:
    pets = kept(tmp_path)
    app = drop(open_app_page("data", add="zip"), archive)
    app.button(key="own-use").click().run()
    assert "already" in app.error[0].value and app.metric[0].value == "26"
    app.button(key="own-discard").click().run()
    assert not app.exception and not app.metric and stored(home) == ["pets"] and about.all_kept() == {"pets": pets}
    app.button(key="own-back").click().run()
    assert not app.error and app.selectbox(key="data-set").value == "synthetic"


def test_pictures_of_a_lost_connection_cannot_be_kept(archive: bytes, home: Path) -> None:
    app = drop(open_app_page("data", add="zip"), archive)
    st.cache_resource.clear()  # As Streamlit does for a session whose connection is lost.
    assert stored(home) == []
    app.button(key="own-use").click().run()
    assert not app.exception and "the connection was lost" in app.error[0].value and about.all_kept() == {}


def test_pictures_are_dropped_class_by_class_under_hostile_names() -> None:
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


def test_a_problem_or_an_error_keeps_the_pictures_from_being_used(tmp_path: Path, home: Path) -> None:
    archive = in_archive(tmp_path / "one.zip", of_classes({"cat": 9})).read_bytes()
    app = drop(open_app_page("data", add="zip"), archive)
    assert "Problem: There is only one class" in [box.label for box in app.expander]
    assert app.button(key="own-use").disabled
    drop(app, b"Rar!")
    assert "Pets.zip is not a sound ZIP archive" in app.error[0].value and stored(home) == []


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


def test_own_pictures_are_deleted_after_a_question(tmp_path: Path) -> None:
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


def test_a_first_visitor_sees_drawn_animals_and_the_gallery_follows_class_split_and_page_size() -> None:
    app = open_app_page("data")
    assert app.selectbox(key="data-set").value == "synthetic" and not app.query_params
    assert "**2,500** training images · **500** test images · **5** classes" in app.markdown[1].value
    assert html(app).count("<img") == html(app).count(", training image ") == 50
    app = open_app_page("data", classes="otter,whale", split="test", show="20", page="2")
    first = html(app)
    assert first.count("<img") == 20 and not re.search("seal|beaver|dolphin", first)
    assert (app.number_input(key="page").value, app.number_input(key="page").label) == (2, "Page (of 10)")
    app.button(key="page-next").click().run()
    assert address_of(app, "page") == "3"
    assert not {*re.findall(r"test-\d+", first)} & {*re.findall(r"test-\d+", html(app))}, "other images"
    app = open_app_page("data", classes="otter,whale", split="test", show="20", page="99")
    assert address_of(app, "page") == "10" and app.button(key="page-next").disabled


def test_a_failed_download_is_shown(no_photographs: None, monkeypatch: pytest.MonkeyPatch) -> None:
    let_fail(monkeypatch, cifar100, "fetch", DataError("CIFAR-100 could not be downloaded: no network."))
    app = open_app_page("data", source="cifar100")
    assert "not on this computer yet" in app.info[0].value and not app.error
    app.button(key="download").click().run()
    assert app.error[0].value == "CIFAR-100 could not be downloaded: no network." and not app.exception
