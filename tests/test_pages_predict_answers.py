"""What the Predict page says of its answers: cropped, beside the true labels, beside other runs, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aquadash.data.framing import MEAN, Framing
from aquadash.predict import Predictor
from aquadash.runs import Run, open_store
from aquadash.ui import predictions
from aquadash.ui.predict.picture_cards import NONE_OF_THESE
from tests.app_pages import address_of, words
from tests.predict_page import accuracy, cards, drop, halves, open_page, picture, store_colours, widget
from tests.test_cli import answer


@pytest.fixture
def other(colours: Run, tmp_path: Path) -> Iterator[Run]:
    """Another run in the same store, which calls what is red a seal."""
    store = open_store()
    run = store_colours(tmp_path, store, name="opposite <b>", classes=(3, 4, 0))
    yield run
    store.delete(run.run_id)


def test_the_prediction_follows_the_crop_which_stays_on_another_page_of_a_big_drop(colours: Run) -> None:
    small = (picture(f"{number}.png", size=(8, 8)) for number in range(22))
    app = drop(open_page(run=colours.run_id), halves(), *small)
    assert len(cards(app)) == 20 and any("beaver: 22" in block.value for block in app.markdown)
    assert "network sees" in cards(app)[0] and "the mean over" in cards(app)[0]
    crops = [each.proto.popover.label for each in app.get("popover") if "Crop" in each.proto.popover.label]
    assert crops == ["Crop *halves.png*"], "square pictures have nothing to crop"

    widget(app.segmented_control, "framing-").set_value("part").run()
    widget(app.slider, "place-").set_value(0).run()
    assert "🦫 beaver, 100 %" in cards(app)[0]
    widget(app.slider, "place-").set_value(100).run()
    assert "🦦 otter, 100 %" in cards(app)[0]
    app.number_input(key="page").set_value(2).run()
    assert len(cards(app)) == 3 and "21.png" in cards(app)[-1]
    app.number_input(key="page").set_value(1).run()
    assert "🦦 otter, 100 %" in cards(app)[0]

    widget(app.segmented_control, "framing-").set_value("squeezed").run()
    assert "squeezed into" in cards(app)[0] and "100 %" not in cards(app)[0]
    assert not [each for each in app.slider if str(each.key).startswith("place-")]
    widget(app.segmented_control, "framing-").set_value("part").run()
    assert widget(app.slider, "place-").value == 100 and not app.exception


def test_true_labels_give_an_accuracy_with_its_interval_and_a_matrix(colours: Run) -> None:
    blue = (0, 0, 255)
    pictures = picture("a.png"), picture("b.png"), picture("c.png", blue), picture("d.png", blue)
    app = drop(open_page(run=colours.run_id), *pictures)
    assert not app.metric
    labels = [each for each in app.pills if str(each.key).startswith("true-")]
    assert len(labels) == 4

    for label, name in zip(labels, ["beaver", "otter", "otter", NONE_OF_THESE], strict=True):
        label.set_value(name)
    app.run()

    assert not app.exception
    assert accuracy(app).value == "67 %" and "2 of 3 right" in accuracy(app).delta
    assert "21 % to 94 %" in accuracy(app).delta  # Wilson's interval of 2 of 3: 20.8 % to 93.9 %.
    assert any("otter taken for" in block.value for block in app.caption)
    assert any("1 picture of none of these classes" in block.value for block in app.caption)
    assert "✔" in cards(app)[0] and "✘" in cards(app)[1] and "✘" in cards(app)[3]
    assert len(app.get("plotly_chart")) == 1

    widget(app.pills, "true-").set_value(None).run()  # A second click takes it back.
    assert "1 of 2 right" in accuracy(app).delta


def test_several_runs_side_by_side(colours: Run, other: Run) -> None:
    app = drop(open_page(run=colours.run_id, beside=other.run_id), picture("red.png"), picture("b.png"))

    card, _ = cards(app)
    assert "🦫 beaver, 100 %" in card and "🦭 seal, 100 %" in card
    assert "opposite &lt;b&gt;" in card and "<b>" not in card.replace('<b title="true class">', "")
    assert address_of(app, "beside") == other.run_id
    labels = [block.value for block in app.markdown]
    assert any("colours" in text and "beaver: 2" in text for text in labels)

    app.multiselect(key="beside").set_value([]).run()
    assert "🦭 seal, 100 %" not in cards(app)[0] and address_of(app, "beside") is None


def test_runs_beside_that_are_not_there_get_a_note(colours: Run, other: Run) -> None:
    app = open_page(run=colours.run_id, beside=f"x,{'f' * 32}")
    assert "The address asks for" in app.info[0].value and app.multiselect(key="beside").value == []
    assert not app.exception and not app.error


def test_runs_of_one_name_are_told_apart(colours: Run, tmp_path: Path) -> None:
    store = open_store()
    twin = store_colours(tmp_path, store, name=colours.name, classes=(3, 4, 0))
    app = drop(open_page(run=colours.run_id, beside=twin.run_id), picture("red.png"))
    widget(app.pills, "true-").set_value("otter").run()
    store.delete(twin.run_id)
    for run in (colours, twin):
        name = f"colours ({run.run_id[:8]})"
        assert f"**{name}**: " in words(app) and f"**{name}**\n" in words(app), "what they say, and the score"
        assert name in cards(app)[0]


def test_the_page_and_the_command_agree(colours: Run, tmp_path: Path) -> None:
    name, content, _ = halves()
    path = tmp_path / name
    path.write_bytes(content)
    upload: Any = SimpleNamespace(file_id="1", name=name, getvalue=lambda: content)
    model = open_store().model_path(colours.run_id)
    predictor: Any = Predictor.load(model, colours.config.model, class_names=colours.class_names)
    network = predictions.Network(colours.name, ("here", colours.run_id, 1.0), predictor)
    left = answer("predict", colours.run_id, path, "--position", "0")["predictions"]
    assert left[0]["label"] == "beaver", "a position means a part"
    for framing, options in ((MEAN, ()), (Framing("part", 1.0), ("--framing", "part", "--position", "100"))):
        (told,) = answer("predict", colours.run_id, path, *options)["predictions"]
        memory, item = predictions.Memory(), predictions.Item(upload, framing)
        assert list(memory.predict([item], [network])) == [item]
        (shown,) = memory.answers(item, [network]) or ()
        assert told["label"] == shown.label and told["notes"] == list(shown.notes)
        assert told["probabilities"] == dict(zip(shown.class_names, map(float, shown.probabilities), strict=True))
