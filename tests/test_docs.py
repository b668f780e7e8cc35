"""README, CHANGELOG and requirements say what is true."""

import re
import shlex
from pathlib import Path

import click
import pytest

import aquadash
from aquadash.cli import cli
from scripts.bench.__main__ import bench

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}


def known_command(words: list[str]) -> click.Command:
    """The command that the words lead to; fails where one is not known."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        assert words and words[0] in (known := all_commands(command)), f"the documents name the unknown command {words}"
        command = known[words.pop(0)]
    options = {name for parameter in command.params for name in parameter.opts}
    for word in words:
        assert not word.startswith("--") or word in options, f"the documents name the unknown option {word}"
    return command


@pytest.mark.parametrize("text", [README, DOCS["commands.md"]], ids=["README", "commands"])
def test_commands_that_are_named_exist(text: str) -> None:
    lines = re.findall(r"python -m aquadash ([^`\n]+)", text)
    assert lines
    for line in lines:
        known_command(shlex.split(line))


def all_commands(group: click.Group) -> dict[str, click.Command]:
    context = click.Context(group)
    commands = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in commands.items() if command is not None}


def test_every_command_is_in_its_table_and_takes_json() -> None:
    def check(name: str, command: click.Command) -> None:
        if isinstance(command, click.Group):
            for inner_name, inner in all_commands(command).items():
                check(inner_name, inner)
        elif not command.hidden:
            assert any("--json" in parameter.opts for parameter in command.params) and command.help, name
        assert command.hidden or re.search(rf"`[\w ]*\b{name}\b", DOCS["commands.md"]), name

    for name, command in all_commands(cli).items():
        check(name, command)


def test_the_timings_that_are_named_exist_and_each_is_in_its_table() -> None:
    named = {name for text in (README, *DOCS.values()) for name in re.findall(r"scripts/bench ([a-z]+)", text)}
    assert named and named <= set(bench.commands)
    for name, command in bench.commands.items():
        assert f"`{name}`" in DOCS["commands.md"], name
        assert command.help and any("--json" in parameter.opts for parameter in command.params), name


def test_every_link_leads_somewhere() -> None:
    for folder, text in [(ROOT, README), *((ROOT / "docs", text) for text in DOCS.values())]:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
            assert (folder / target).exists(), target


def test_every_setting_of_the_environment_is_in_its_table() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "aquadash").rglob("*.py"))
    # A variable between two processes is no setting.
    for name in {*re.findall(r"\b(?:AQUADASH_[A-Z0-9_]+|MLFLOW_TRACKING_URI)\b", source)} - {"AQUADASH_STARTED_BY"}:
        assert f"`{name}`" in DOCS["how-it-works.md"], name


def test_the_tests_of_the_workarounds_and_the_files_of_the_walks_exist() -> None:
    workarounds = (ROOT / "aquadash" / "ui" / "STREAMLIT.md").read_text(encoding="utf-8")
    tests = re.findall(r"`(tests/\w+/\w+)`", workarounds)
    walked = re.findall(r"^\| \d+ \| `([\w/]+\.py)`", DOCS["how-it-works.md"], re.MULTILINE)
    names = [*(f"{name}.py" for name in tests), *(f"aquadash/{name}" for name in walked)]
    assert tests and walked and [name for name in names if not (ROOT / name).is_file()] == []


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"\bmake (\w+)\b", "\n".join(re.findall(r"\$ make \w+|`make \w+`", README)))):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_changelog_begins_with_this_version() -> None:
    first = re.search(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    version, sign, _ = aquadash.__version__.partition(".dev")
    expected = "Unreleased" if sign else rf"{re.escape(version)} \(\d{{4}}-\d\d-\d\d\)"
    assert first is not None and re.fullmatch(expected, first[1])


def test_requirements_are_pinned() -> None:
    paths = [*ROOT.glob("requirements*.txt"), *ROOT.glob("scripts/requirements*.txt")]
    assert len(paths) >= 2
    loose = [
        f"{path.name}: {line}"
        for path in paths
        for line in path.read_text(encoding="utf-8").splitlines()
        if not re.fullmatch(
            r'(-r \S+|[\w-]+(\[\w+\])?==[\w.]+(; sys_platform != "\w+")?)?', line.partition("#")[0].strip()
        )
    ]
    assert loose == []


def test_opencv_is_the_build_that_needs_no_screen() -> None:
    """A server may lack libGL."""
    import cv2

    assert cv2.version.headless
