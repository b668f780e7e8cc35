"""``pipelines`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aquadash.augment import PIPELINES, Branch, PipelineSpec, library, op, pipeline
from aquadash.cli.augment import pipelines
from aquadash.errors import AquaDashError, ConfigError, UnknownNameError

MINE = PipelineSpec("x", "Mine", "Flips.", (Branch("One", (op("Sometimes", then_list=op("Fliplr")),)),))


def call(*arguments: object) -> str:
    result = CliRunner().invoke(pipelines, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def answer(*arguments: object) -> dict[str, Any]:
    values = json.loads(call(*arguments, "--json"))
    assert isinstance(values, dict)
    return values


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.json"
    path.write_text(MINE.to_json())
    return path


def test_a_file_is_checked_saved_shown_listed_deleted_and_restored(file: Path) -> None:
    assert answer("check", file) == {"title": "Mine", "factor": 1, "valid": True}
    assert library().saved == ()
    assert answer("save", file, "--title", "Über Flip")["name"] == "uber-flip"
    assert pipeline("uber-flip").branches == MINE.branches
    assert answer("show", "uber-flip")["branches"] == json.loads(MINE.to_json())["branches"]
    assert "Flip left-right" in call("show", "uber-flip")
    listed = {entry["name"]: entry for entry in answer("list")["pipelines"]}
    assert list(listed) == [*PIPELINES, "uber-flip"]
    assert listed["uber-flip"]["saved"] and not listed["notebook"]["saved"] and listed["notebook"]["factor"] == 5
    key = answer("delete", "uber-flip")["key"]
    assert library().saved == ()
    assert answer("restore", key)["name"] == "uber-flip"
    assert library().saved == ("uber-flip",)


def test_saving_over_a_pipeline_is_asked_for(file: Path) -> None:
    call("save", file, "--title", "Mine")
    with pytest.raises(ConfigError, match="already"):
        call("save", file, "--title", "Mine")
    assert answer("save", file, "--title", "Other", "--replace", "mine") == {
        "name": "other",
        "title": "Other",
        "factor": 1,
        "replaced": "mine",
    }
    assert library().saved == ("other",)


def test_what_show_prints_can_be_saved_again(tmp_path: Path) -> None:
    path = tmp_path / "copy.json"
    path.write_text(call("show", "notebook-4", "--json"))
    call("save", path, "--title", "Copy")
    assert pipeline("copy").branches == PIPELINES["notebook-4"].branches


def test_code_is_python_and_damaged_files_are_named(home: Path, file: Path) -> None:
    compile(call("code", "notebook"), "pipeline.py", "exec")
    call("save", file, "--title", "Mine")
    (home / "pipelines" / "mine.json").write_text("{")
    assert "not valid JSON" in answer("list")["damaged"]["mine.json"]
    assert "mine.json cannot be read" in call("list")


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe\x00", b"[" * 500_000])
def test_a_malformed_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    for command in (("save", path, "--title", "Bad"), ("check", path)):
        with pytest.raises(AquaDashError):
            call(*command)
    assert library().saved == ()


def test_unknown_names_and_files_are_refused(tmp_path: Path) -> None:
    for command in ("show", "code", "delete"):
        with pytest.raises(UnknownNameError):
            call(command, "nothing")
    with pytest.raises(ConfigError, match="is no file"):
        call("check", tmp_path)
    with pytest.raises(ConfigError, match="not there any more"):
        call("restore", "../../passwd")
