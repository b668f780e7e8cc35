"""Pipelines are read within limits, saved whole and told in words."""

import errno
import json
import os
from pathlib import Path

import pytest

from aquadash.augment import OPERATORS, describe
from aquadash.augment import saved_pipelines as shelf
from aquadash.augment.pipelines import PIPELINES
from aquadash.augment.reading import check_operators, from_json
from aquadash.augment.spec import Branch, Operator, PipelineSpec, Range, op
from aquadash.errors import ConfigError, StorageError, UnknownNameError
from tests.support.faults import let_fail
from tests.support.lessons import ANNA


def _text(**changes: object) -> str:
    values: dict[str, object] = {
        "format": "aquadash-pipeline",
        "version": 1,
        "name": "own",
        "title": "Own",
        "summary": "",
        "branches": [{"title": "One", "operators": [{"name": "Fliplr"}]}],
    }
    return json.dumps({**values, **changes})


def _with(operator: dict[str, object]) -> str:
    """Return the text of a pipeline with this step alone."""
    return _text(branches=[{"title": "One", "operators": [operator]}])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 50_000, "not valid JSON"),
        ("[]", "The pipeline is .*: .* object"),
        (_text(extra=1), "unknown field 'extra'"),
        (_text(branches=[{"title": "One", "operators": []}] * 21), "at most 20 are allowed"),
        (_text(branches=[]), "no branch"),
        (_with({"name": "Add", "settings": {"value": {"low": 2, "high": 1}}}), "reversed"),
        (_text(title=5), "title is 5: .* string"),
        (_text(title="a\ud800"), "not valid JSON"),
        (_text(branches=[{"title": "One"}]), "branches.1 lacks 'operators'"),
        (_text(summary="x" * 100_001), "at most 100,000"),
        (_with({"name": "Fliplr", "settings": {"p": None}}), "branches.1.operators.1.settings.p is None: .* number"),
        *(
            (_with({"name": "Add", "settings": {"value": "HERE"}}).replace('"HERE"', number), word)
            for number, word in (
                ("NaN", "value is nan: expected"),
                ("Infinity", "value is inf: expected"),
                ("1e400", "value is inf: expected"),
                ("1" + "0" * 400, "value is 10{70}"),
                ("1" + "0" * 5000, "not valid JSON"),
            )
        ),
    ],
)
def test_malformed_text_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_json(text)


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (op("FlipLR"), "Did you mean 'Fliplr'"),
        (op("GaussianBlur", sgma=1.0), "Did you mean 'sigma'"),
        (op("Sometimes", then=op("Fliplr")), "Did you mean 'then_list'"),
        (op("GaussianBlur", sigma=-1.0), "number from 0 to 10"),
        (op("GaussianBlur", sigma=Range(0.0, float("inf"))), "number from 0 to 10"),
        (op("GaussianBlur", sigma=True), "is 'True'"),
        (op("Add", value=Range(-5, 0.5)), "a whole number"),
        (op("MedianBlur", k=4), "an odd number from 1 to 15"),
        (op("WithChannels", channels=0, children=op("Grayscale")), "needs a colour image"),
        (op("Fliplr", p=Range(0.0, 1.0)), "one fixed value"),
        (op("CoarseDropout", p=0.1), "needs its setting 'size_percent'"),
        (op("WithColorspace", to_colorspace="CMYK", children=op("Fliplr")), "expected one of RGB"),
        (op("Sometimes", p=0.5, then_list=op("Sometimes", then_list=op("Fliplr", p=2))), "Fliplr: p is"),
    ],
)
def test_unknown_names_and_values_out_of_bounds_are_refused(operator: Operator, message: str) -> None:
    with pytest.raises((ConfigError, UnknownNameError), match=message):
        check_operators([operator])


FLIP = PipelineSpec("draft", "Draft", "Flips.", (Branch("One", (op("Fliplr", p=0.5, probability=0.5),)),))
BLUR = PipelineSpec("draft", "Draft", "Blurs.", (Branch("One", (op("GaussianBlur", enabled=False),)),))


def test_a_saved_pipeline_stands_after_the_built_in_ones_and_is_replaced_by_its_name_only() -> None:
    saved = shelf.save(FLIP, title="  Über   Flip 2 ")
    assert (saved.name, saved.title) == ("uber-flip-2", "Über Flip 2")
    assert list(shelf.library().pipelines) == [*PIPELINES, "uber-flip-2"]
    assert shelf.library().saved == ("uber-flip-2",)
    with pytest.raises(ConfigError, match="already"):
        shelf.save(BLUR, title="uber flip 2")
    assert shelf.pipeline("uber-flip-2") == saved
    assert shelf.pipeline("uber-flip-2") is shelf.library().pipelines["uber-flip-2"], "an unchanged file is parsed once"
    shelf.save(BLUR, title="Über Flip 2", replace_name="uber-flip-2")
    assert shelf.pipeline("uber-flip-2").branches == BLUR.branches


def test_a_full_disk_changes_nothing_and_no_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    shelf.save(FLIP, title="First", owner=ANNA)
    others = (("Mine", None), ("Mine", "first"))
    # At the pipeline's own file, or at the smaller one beside it.
    for module, writer, saved in ((os, "fsync", (*others, ("First", "first"))), (shelf, "write_whole", others)):
        with monkeypatch.context() as patch:
            let_fail(patch, module, writer, full)
            for title, replaced in saved:
                with pytest.raises(StorageError, match="No space left"):
                    shelf.save(BLUR, title=title, replace_name=replaced, owner=ANNA)
        assert shelf.library().saved == ("first",) and shelf.pipeline("first").branches == FLIP.branches
    assert shelf.save(FLIP, title="Mine", owner=ANNA).name == "mine" and shelf.owner_ids() == {ANNA.person_id}


def test_a_pipeline_is_renamed_unless_the_name_is_taken_and_deleted_with_its_owner(home: Path) -> None:
    shelf.save(FLIP, title="First", owner=ANNA)
    shelf.save(BLUR, title="Second")
    with pytest.raises(ConfigError, match="already"):
        shelf.save(FLIP, title="Second", replace_name="first")
    shelf.save(FLIP, title="Third", replace_name="first")
    assert shelf.library().saved == ("second", "third") and shelf.resource_of("third").owner == ANNA.person_id
    with pytest.raises(UnknownNameError, match="saved pipeline"):
        shelf.save(FLIP, title="Fourth", replace_name="first")
    shelf.delete("second")
    shelf.delete("third")
    assert shelf.library().saved == () and list((home / "pipelines").iterdir()) == []
    assert shelf.resource_of(shelf.save(BLUR, title="Third").name).owner == ""


def test_what_a_version_before_put_away_is_left_alone_and_comes_back_by_hand(home: Path) -> None:
    shelf.save(FLIP, title="Mine", owner=ANNA)
    (home / "pipelines" / "earlier").mkdir()
    for ending in ("json", "owner"):
        (home / "pipelines" / f"mine.{ending}").rename(home / "pipelines" / "earlier" / f"mine.17.{ending}")
    assert shelf.library().saved == () and shelf.library().damaged == {}
    for ending in ("json", "owner"):
        (home / "pipelines" / "earlier" / f"mine.17.{ending}").rename(home / "pipelines" / f"mine.{ending}")
    assert shelf.pipeline("mine").branches == FLIP.branches and shelf.resource_of("mine").owner == ANNA.person_id


def test_names_are_never_paths_the_nearest_is_offered_and_only_saved_pipelines_are_deleted() -> None:
    shelf.save(FLIP, title="Mine")
    with pytest.raises(UnknownNameError, match="Did you mean 'mine'"):
        shelf.pipeline("mime")
    with pytest.raises(UnknownNameError):
        shelf.pipeline("../pipelines/mine")
    for name in ("notebook-1", "../pipelines/mine"):
        with pytest.raises(UnknownNameError):
            shelf.delete(name)


@pytest.mark.parametrize(
    ("title", "message"),
    [("", "0 characters"), ("x" * 81, "81 characters"), ("🦭", "letter"), ("Notebook 1", "built-in")],
)
def test_titles_that_make_no_name_are_refused(title: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        shelf.save(FLIP, title=title)


def test_a_damaged_file_is_named_and_left_alone(home: Path) -> None:
    shelf.save(FLIP, title="Mine")
    broken = home / "pipelines" / "broken.json"
    broken.write_bytes(b"\xff{")
    assert shelf.library().saved == ("mine",)
    assert "UTF-8" in shelf.library().damaged["broken.json"]
    with pytest.raises(ConfigError):
        shelf.pipeline("broken")
    assert broken.exists()


def test_every_operator_reads_well() -> None:
    for info in OPERATORS.values():
        assert info.example is not None
        lines = describe(Branch("one", (info.example,)))
        assert lines[0].startswith(info.title)
        assert lines[0].endswith(":") == bool(info.slots)
        assert "None" not in " ".join(lines) and ",," not in " ".join(lines)
        for name, value in info.example.settings:
            parameter = info.parameter(name)
            assert value == parameter.default or name == "channels" or parameter.title in lines[0], name
