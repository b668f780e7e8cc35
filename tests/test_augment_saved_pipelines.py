from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from aquadash.augment import saved_pipelines as shelf
from aquadash.augment.pipelines import PIPELINES
from aquadash.augment.spec import Branch, PipelineSpec, op
from aquadash.errors import ConfigError, StorageError, UnknownNameError
from tests.lessons import ANNA

FLIP = PipelineSpec("draft", "Draft", "Flips.", (Branch("One", (op("Fliplr", p=0.5, probability=0.5),)),))
BLUR = PipelineSpec("draft", "Draft", "Blurs.", (Branch("One", (op("GaussianBlur", enabled=False),)),))


def test_what_is_saved_is_found_again_after_the_built_in_ones() -> None:
    saved = shelf.save(FLIP, title="  Über   Flip 2 ")
    assert (saved.name, saved.title) == ("uber-flip-2", "Über Flip 2")
    assert shelf.pipeline("uber-flip-2") == saved
    assert list(shelf.library().pipelines) == [*PIPELINES, "uber-flip-2"]
    assert shelf.library().saved == ("uber-flip-2",)


def test_saving_over_a_pipeline_is_asked_for() -> None:
    shelf.save(FLIP, title="Mine")
    with pytest.raises(ConfigError, match="already"):
        shelf.save(BLUR, title="mine")
    assert shelf.pipeline("mine").branches == FLIP.branches
    assert shelf.pipeline("mine") is shelf.library().pipelines["mine"], "an unchanged file is parsed once"
    shelf.save(BLUR, title="Mine", replace_name="mine")
    assert shelf.pipeline("mine").branches == BLUR.branches


def test_a_full_disk_changes_nothing_and_no_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    shelf.save(FLIP, title="First", owner=ANNA)
    others = (("Mine", None), ("Mine", "first"))
    # At the pipeline's own file, or at the smaller one beside it.
    for module, writer, saved in ((os, "fsync", (*others, ("First", "first"))), (shelf, "write_whole", others)):
        with monkeypatch.context() as patch:
            patch.setattr(module, writer, full)
            for title, replaced in saved:
                with pytest.raises(StorageError, match="No space left"):
                    shelf.save(BLUR, title=title, replace_name=replaced, owner=ANNA)
        assert shelf.library().saved == ("first",) and shelf.pipeline("first").branches == FLIP.branches
    assert shelf.save(FLIP, title="Mine", owner=ANNA).name == "mine" and shelf.owner_ids() == {ANNA.person_id}


def test_a_new_title_renames_unless_the_name_is_taken() -> None:
    shelf.save(FLIP, title="First")
    shelf.save(BLUR, title="Second")
    with pytest.raises(ConfigError, match="already"):
        shelf.save(FLIP, title="Second", replace_name="first")
    shelf.save(FLIP, title="Third", replace_name="first")
    assert shelf.library().saved == ("second", "third")
    with pytest.raises(UnknownNameError, match="saved pipeline"):
        shelf.save(FLIP, title="Fourth", replace_name="first")


def test_what_is_deleted_is_gone_and_its_name_is_free(home: Path) -> None:
    shelf.save(FLIP, title="Mine", owner=ANNA)
    shelf.delete("mine")
    assert shelf.library().saved == () and list((home / "pipelines").iterdir()) == []
    assert shelf.resource_of(shelf.save(BLUR, title="Mine").name).owner == ""


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
    for name in ("notebook-1", "../pipelines/mine", "nowhere", ""):
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
