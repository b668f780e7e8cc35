"""The Predict page with a tiny network, for the tests that open it."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from aquadash.store import Run, RunStore
from tests.support.app_pages import open_app_page
from tests.support.encoded_pictures import saved
from tests.support.runs import make_run
from tests.support.tiny_networks import MEAN_COLOUR, colour_network, give_network

Upload = tuple[str, bytes, str]


def store_colours(folder: Path, store: RunStore, *, name: str, classes: tuple[int, int, int]) -> Run:
    """A run whose network has one class each for what is red, green and blue."""
    path = folder / "model.keras"
    colour_network(MEAN_COLOUR, 10 * np.eye(5)[list(classes)], side=32).save(path)
    return give_network(store, make_run(store, name).run_id, MEAN_COLOUR, path)


open_page = partial(open_app_page, "predict")


def drop(app: AppTest, *files: Upload) -> AppTest:
    app.file_uploader(key="pictures").set_value(list(files))
    app.run()
    assert not app.exception and not app.error
    return app


def picture(name: str, colour: tuple[int, int, int] = (255, 0, 0), size: tuple[int, int] = (64, 48)) -> Upload:
    return name, saved(Image.new("RGB", size, colour), "PNG"), "image/png"


def cards(app: AppTest) -> list[str]:
    """The results, as HTML."""
    return [block.proto.body for block in app.get("html") if block.proto.body.startswith("<article")]


def halves() -> Upload:
    """Red on the left, blue on the right: which part the network sees decides what it says."""
    pixels = np.zeros((60, 120, 3), np.uint8)
    pixels[:, :60, 0] = pixels[:, 60:, 2] = 255
    return "halves.png", saved(Image.fromarray(pixels), "PNG"), "image/png"


def widget(widgets: Any, start: str) -> Any:
    """The first widget whose key begins so."""
    return next(each for each in widgets if str(each.key).startswith(start))


def accuracy(app: AppTest) -> Any:
    return next(each for each in app.metric if each.label.startswith("Accuracy"))
