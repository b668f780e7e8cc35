"""Which images the Augment page works on."""

from functools import partial

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from aquadash.ui.augment import studio_images
from tests.support.app_pages import address_of, run_script
from tests.support.encoded_pictures import saved
from tests.support.studios import small_dataset

PIXELS = np.random.default_rng(3).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def page() -> None:
    import streamlit as st

    from aquadash.ui.augment import studio_images
    from tests.support.studios import small_dataset

    st.session_state["chosen"] = studio_images.choose(small_dataset(), st.popover("Options"))


visit = partial(run_script, page)


def chosen(app: AppTest) -> studio_images.SampleImages:
    return app.session_state["chosen"]


def png(pixels: np.ndarray) -> bytes:
    return saved(Image.fromarray(pixels), "PNG")


def test_training_images_come_with_their_class_and_place() -> None:
    app, dataset = visit(images="5,7,5"), small_dataset()
    images, labels, positions = chosen(app)
    assert positions == [5, 7]
    np.testing.assert_array_equal(images, dataset.train.images[[5, 7]])
    assert labels == ("whale", "seal")


def test_more_images_keep_the_first_and_other_images_replace_all() -> None:
    app = visit()
    before = chosen(app).positions
    assert len(before) == 2
    app.number_input(key="image-count").set_value(16).run()
    after = chosen(app).positions
    assert len(set(after)) == 16 and after[:2] == before
    assert address_of(app, "images") == ",".join(map(str, after))
    app.button(key="other-images").click().run()
    others = chosen(app).positions
    assert len(set(others)) == 16 and others != after, "none twice"
    app.number_input(key="image-count").set_value(1).run()
    assert chosen(app).positions == others[:1]


def test_a_persons_own_pictures_are_seen_as_training_would() -> None:
    app = visit()
    app.segmented_control(key="from").set_value("own").run()
    assert address_of(app, "from") == "own"
    assert len(chosen(app).positions) == 2, "training images until there is a picture"
    wide = np.zeros((40, 400, 3), dtype=np.uint8)
    wide[:, 180:220] = 200
    app.file_uploader(key="own-pictures").upload("exact.png", png(PIXELS), "image/png").upload(
        "wide.png", png(wide), "image/png"
    ).run()
    images, labels, positions = chosen(app)
    np.testing.assert_array_equal(images[0], PIXELS)
    assert (images[1] == 200).all(), "the middle of it"
    assert labels == ("exact.png", "wide.png") and positions == []
    assert any("wide.png" in caption.value and "10.0%" in caption.value for caption in app.caption)


def test_bad_files_are_refused_by_name_and_too_many_are_left_out() -> None:
    app = visit(**{"from": "own"})
    field = app.file_uploader(key="own-pictures").upload("*no*.png", b"\x89PNG of a kind", "image/png")
    for number in range(17):
        field = field.upload(f"picture-{number}.png", png(PIXELS), "image/png")
    field.run()
    assert len(app.error) == 1 and r"\*no\*.png" in app.error[0].value
    assert len(chosen(app).images) == 15 and "2 left out" in app.info[0].value
