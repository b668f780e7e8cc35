"""The Predict page, with a tiny network; TensorFlow is loaded once for the module."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from aquadash.config import RunConfig
from aquadash.runs import Run, open_store
from aquadash.ui import cache, predictions
from tests.app_pages import open_app_page
from tests.stored_runs import HOSTILE, add_run, without_engine

ROOT = Path(__file__).resolve().parent.parent
Upload = tuple[str, bytes, str]


@dataclass(frozen=True)
class Shelf:
    """A store that the tests of this module share."""

    home: Path
    run: Run


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A run whose network calls what is red a beaver and what is blue an otter."""
    import keras
    from keras import layers

    model = keras.Sequential(
        [keras.Input((32, 32, 3)), layers.GlobalAveragePooling2D(), layers.Dense(5, activation="softmax")]
    )
    model.layers[-1].set_weights([10 * np.eye(3, 5, dtype=np.float32), np.zeros(5, np.float32)])
    home = tmp_path_factory.mktemp("shared")
    path = tmp_path_factory.mktemp("model") / "model.keras"
    model.save(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(home))
        store = open_store()
        run = add_run(store, name="colours")
        store.add_artifact(run.run_id, path)
    yield Shelf(home, run)


@pytest.fixture
def shelf(shared: Shelf, home: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("AQUADASH_HOME", str(shared.home))
    return shared


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    without_engine(monkeypatch)


open_page = partial(open_app_page, "predict")


def drop(app: AppTest, *files: Upload) -> AppTest:
    app.file_uploader(key="pictures").set_value(list(files))
    app.run()
    assert not app.exception and not app.error
    return app


def picture(name: str, colour: tuple[int, int, int] = (255, 0, 0), size: tuple[int, int] = (64, 48)) -> Upload:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return name, file.getvalue(), "image/png"


def cards(app: AppTest) -> list[str]:
    """The results, as HTML."""
    return [block.proto.body for block in app.get("html") if block.proto.body.startswith("<article")]


def test_empty_store_shows_the_way_to_train() -> None:
    app = open_page()

    assert any("no trained network yet" in block.value for block in app.markdown)
    assert not app.error and not app.file_uploader


def test_a_run_without_a_network_says_so(shelf: Shelf) -> None:
    store = open_store()
    run = store.create(RunConfig(), name="waiting")
    cache.refresh()
    app = open_page(run=run.run_id)
    store.request_stop(run.run_id)
    cache.refresh()

    assert "no trained network yet" in app.info[0].value
    assert not app.file_uploader


def test_what_the_network_cannot_do_is_said_before_the_drop(shelf: Shelf) -> None:
    app = open_page()

    assert app.selectbox(key="run").value == shelf.run.run_id
    assert any("can only choose among its 5 classes" in block.value for block in app.caption)
    assert not app.file_uploader(key="pictures").allowed_type  # The content decides, whatever the ending.


def test_good_and_bad_files_of_one_drop(shelf: Shelf) -> None:
    good = picture("red.png")
    app = drop(
        open_page(run=shelf.run.run_id),
        good,
        ("empty.png", b"", "image/png"),
        ("lying.jpg", good[1], "image/jpeg"),
        ("cut.png", good[1][:60], "image/png"),
        picture("blue.png", (0, 0, 255)),
    )

    red, empty, lying, cut, blue = cards(app)
    assert "🦫 beaver, 100 %" in red and "🦦 otter, 100 %" in blue
    assert red.count("<img") == 2 and red.count("alt=") == 2
    assert "Your picture, 64 × 48" in red and "32 × 32" in red
    assert "empty.png is empty" in empty
    assert "🦫 beaver, 100 %" in lying and "really a PNG image" in lying
    assert "cut.png cannot be read" in cut
    assert any("otter: 1" in block.value and "without an answer: 2" in block.value for block in app.markdown)


def test_files_are_read_once(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    original = predictions.look_at

    def counted(name: str, *arguments: Any, **options: Any) -> Any:
        seen.append(name)
        return original(name, *arguments, **options)

    monkeypatch.setattr(predictions, "look_at", counted)
    app = drop(open_page(), picture("a.png"), picture("b.png"))
    app.run()

    assert seen == ["a.png", "b.png"]
    assert len(cards(app)) == 2


def test_big_drops_are_shown_in_pages(shelf: Shelf) -> None:
    app = drop(open_page(), *(picture(f"{number}.png", size=(8, 8)) for number in range(23)))
    assert len(cards(app)) == 20
    assert any("beaver: 23" in block.value for block in app.markdown)

    app.number_input(key="page").set_value(2).run()

    assert len(cards(app)) == 3
    assert "22.png" in cards(app)[-1]


def test_hostile_file_names_are_text(shelf: Shelf) -> None:
    app = drop(open_page(), picture(HOSTILE + ".png"), (HOSTILE + ".gif", b"no picture", "image/gif"))

    assert len(cards(app)) == 2
    assert all("<img src=x" not in card and "&lt;img src=x" in card for card in cards(app))


def test_test_images_can_be_tried_with_one_click(shelf: Shelf) -> None:
    app = open_page()
    app.button(key="draw-sample").click().run()

    assert not app.error
    grid = next(block.proto.body for block in app.get("html") if block.proto.body.startswith("<ul"))
    assert grid.count("<img") == 5
    assert app.query_params["sample"] in ("1", ["1"])
    again = open_page(sample="1")
    assert grid in [block.proto.body for block in again.get("html")]


def test_malformed_addresses_get_a_note(shelf: Shelf) -> None:
    app = open_page(sample="-3")
    assert "The address asks for" in app.info[0].value and not app.error

    app = open_page(run="x<b>y")
    assert "There is no run" in app.warning[0].value and not app.file_uploader


def test_a_damaged_model_gives_a_message(home: Path) -> None:
    store = open_store()
    run = add_run(store, name="damaged")
    broken = home / "model.keras"
    broken.write_bytes(b"not a model")
    store.add_artifact(run.run_id, broken)

    app = open_page(sample="1")

    assert not app.exception
    assert "cannot be loaded" in app.error[0].value
