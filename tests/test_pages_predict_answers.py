"""What the Predict page says of its answers: cropped, beside the true labels, beside other runs, as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aquadash.data.framing import Framing
from aquadash.predict import FilePrediction, Predictor
from aquadash.runs import Run, open_store
from aquadash.ui import predictions
from aquadash.ui.predict import predict_views
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


@dataclass(frozen=True)
class Memoised:
    """What the page's memory answers for one file."""

    network: predictions.Network
    upload: Any

    @classmethod
    def of(cls, run: Run, name: str, content: bytes) -> Memoised:
        upload = SimpleNamespace(file_id="1", name=name, getvalue=lambda: content)
        network = predictions.Network(
            run.name,
            ("here", run.run_id, 1.0),
            Predictor.load(open_store().model_path(run.run_id), run.config.model, class_names=run.class_names),
        )
        return cls(network, upload)

    def answer(self, framing: Framing) -> FilePrediction:
        memory, item = predictions.Memory(), predictions.Item(self.upload, framing)
        assert list(memory.predict([item], [self.network])) == [item]
        (found,) = memory.answers(item, [self.network]) or ()
        return found


def test_the_prediction_follows_the_crop(colours: Run) -> None:
    app = drop(open_page(run=colours.run_id), halves())
    assert "network sees" in cards(app)[0] and "the mean over" in cards(app)[0]

    widget(app.segmented_control, "framing-").set_value("part").run()
    widget(app.slider, "place-").set_value(0).run()
    assert "🦫 beaver, 100 %" in cards(app)[0]
    widget(app.slider, "place-").set_value(100).run()
    assert "🦦 otter, 100 %" in cards(app)[0]

    widget(app.segmented_control, "framing-").set_value("squeezed").run()
    assert "squeezed into" in cards(app)[0] and "100 %" not in cards(app)[0]
    assert not [each for each in app.slider if str(each.key).startswith("place-")]
    widget(app.segmented_control, "framing-").set_value("padded").run()
    assert "grey bars" in cards(app)[0]
    widget(app.segmented_control, "framing-").set_value("part").run()
    assert widget(app.slider, "place-").value == 100 and not app.exception


def test_a_square_picture_has_no_crop_control_and_a_cropped_one_keeps_it_on_another_page(colours: Run) -> None:
    app = drop(open_page(run=colours.run_id), picture("square.png", size=(40, 40)))
    assert not [each for each in app.segmented_control if str(each.key).startswith("framing-")]

    app = drop(
        open_page(run=colours.run_id), halves(), *(picture(f"{number}.png", size=(8, 8)) for number in range(20))
    )
    widget(app.segmented_control, "framing-").set_value("part").run()
    widget(app.slider, "place-").set_value(100).run()
    crops = [each.proto.popover.label for each in app.get("popover") if "Crop" in each.proto.popover.label]
    assert crops == ["Crop *halves.png*"]
    app.number_input(key="page").set_value(2).run()
    app.number_input(key="page").set_value(1).run()
    assert "🦦 otter, 100 %" in cards(app)[0] and widget(app.slider, "place-").value == 100


def test_true_labels_give_an_accuracy_with_its_interval_and_a_matrix(colours: Run) -> None:
    blue = (0, 0, 255)
    app = drop(
        open_page(run=colours.run_id),
        picture("a.png"),
        picture("b.png"),
        picture("c.png", blue),
        picture("d.png", blue),
    )
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


@pytest.mark.parametrize("beside", ["x", "f" * 32, ",".join("abcdef")])
def test_runs_beside_that_are_not_there_get_a_note(colours: Run, other: Run, beside: str) -> None:
    app = open_page(run=colours.run_id, beside=beside)
    assert "The address asks for" in app.info[0].value and app.multiselect(key="beside").value == []
    assert not app.exception and not app.error


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The tables that the page offers, the newest last."""
    offered: list[bytes] = []
    original = predict_views.answers_csv

    def kept(*arguments: Any, **options: Any) -> bytes:
        offered.append(original(*arguments, **options))
        return offered[-1]

    monkeypatch.setattr(predict_views, "answers_csv", kept)
    return offered


def test_runs_of_one_name_are_told_apart(colours: Run, tmp_path: Path, tables: list[bytes]) -> None:
    store = open_store()
    twin = store_colours(tmp_path, store, name=colours.name, classes=(3, 4, 0))
    app = drop(open_page(run=colours.run_id, beside=twin.run_id), picture("red.png"), picture("b.png"))
    widget(app.pills, "true-").set_value("otter").run()
    store.delete(twin.run_id)

    names = {f"colours ({run.run_id[:8]})" for run in (colours, twin)}
    for name in names:
        assert f"**{name}**: " in words(app) and f"**{name}**\n" in words(app), "what they say, and the score"
        assert name in cards(app)[0]
    assert {row["run"] for row in csv.DictReader(io.StringIO(tables[-1].decode("utf-8-sig")))} == names


def test_the_table_to_take_home(colours: Run, tables: list[bytes]) -> None:
    app = drop(open_page(run=colours.run_id), picture("=1+1.png"), ("bad,name.png", b"", "image/png"))
    widget(app.pills, "true-").set_value("otter").run()

    rows = list(csv.DictReader(io.StringIO(tables[-1].decode("utf-8-sig"))))
    assert rows[0]["file"] == "'=1+1.png" and rows[0]["label"] == "beaver" and rows[0]["true_label"] == "otter"
    assert rows[0]["run"] == "colours" and rows[1]["true_label"] == ""
    assert sum(float(rows[0][name]) for name in colours.class_names) == pytest.approx(1, abs=1e-4)
    assert rows[1]["file"] == "bad,name.png" and "empty" in rows[1]["error"]


def test_the_page_and_the_command_agree(colours: Run, tmp_path: Path) -> None:
    name, content, _ = halves()
    path = tmp_path / name
    path.write_bytes(content)
    page = Memoised.of(colours, name, content)
    assert answer("predict", colours.run_id, path) == answer("predict", colours.run_id, path, "--framing", "mean")
    left = answer("predict", colours.run_id, path, "--position", "0")["predictions"]
    assert left[0]["label"] == "beaver", "a position means a part"
    for framing in (Framing(), Framing("part", 1.0), Framing("padded"), Framing("squeezed"), Framing("mean")):
        options = ("--framing", framing.mode, "--position", str(100 * framing.position))
        (told,) = answer("predict", colours.run_id, path, *options)["predictions"]
        shown = page.answer(framing)
        assert told["label"] == shown.label and told["notes"] == list(shown.notes)
        assert told["probabilities"] == dict(zip(shown.class_names, map(float, shown.probabilities), strict=True))
