"""What commands print for people: tables in a terminal of 80 columns, in a file, and the line of progress."""

from __future__ import annotations

import io
import sys

import pytest

from aquadash.cli import output
from aquadash.cli.output import StatusLine, Table, print_result

RUNS = Table(
    [
        ("3f2a91bc", "* the report's network, with flips (archived)", "finished", "notebook-1", "55.4 %", "1,091,045"),
        ("4f2a91bc", "random_rotation_layer_number_one", "stopped", "none", "", "417"),
    ],
    header=("id", "name", "status", "pipeline", "test accuracy", "parameters"),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(monkeypatch: pytest.MonkeyPatch, *text: str | Table, to: io.StringIO) -> list[str]:
    """The lines that a command prints; a dumb terminal is one of 80 columns that shows letters alone."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stdout", to)
    with output.Command("look", callback=lambda: print_result({}, *text)).make_context("look", []) as context:
        context.command.invoke(context)
    return to.getvalue().splitlines()


def test_a_terminal_breaks_long_texts_between_words_and_keeps_ids_and_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, RUNS, to=Terminal())
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for whole in ("3f2a91bc", "finished", "notebook-1", "55.4 %", "1,091,045", "parameters"):
        assert whole in text
    words = {word for line in lines for word in line.split()}
    assert {"report's", "network,", "flips", "(archived)"} <= words, "no word is cut that fits"
    assert any(word.startswith("random_rot") and word.endswith("…") for word in words)

    wide = Table([["words and words", *["1,000,000.5 %"] * 9]], header=("what", *"abcdefghi"))
    assert max(map(len, printed(monkeypatch, wide, to=Terminal()))) <= 80, "too narrow for all"


def test_a_file_gets_whole_plain_lines_whatever_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    assert printed(monkeypatch, "two runs", "", RUNS, to=io.StringIO()) == [
        "two runs",
        "",
        "id        name                                           status    pipeline    test accuracy  parameters",
        "3f2a91bc  * the report's network, with flips (archived)  finished  notebook-1         55.4 %   1,091,045",
        "4f2a91bc  random_rotation_layer_number_one               stopped   none                              417",
    ]


def test_what_people_type_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table([("[bold]mine[/] :whale:", "[/red]")], header=("[b]", ""))
    assert printed(monkeypatch, table, to=io.StringIO()) == ["[b]", "[bold]mine[/] :whale:  [/red]"]


def test_what_people_type_does_nothing_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table([("\x1b[2Jmine", "\x07")], header=("a\x9bb", "c"))
    lines = printed(monkeypatch, "\x1b]0;title\x07\r\nnote\rmine", table, to=Terminal())
    assert lines == ["\ufffd]0;title\ufffd", "note\ufffdmine", "a\ufffdb       c", "\ufffd[2Jmine  \ufffd"]


def test_progress_is_one_line_that_is_drawn_over_again_or_a_line_for_each_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for stream in (terminal := Terminal(), file := io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        with StatusLine() as line:
            line.show("[mine]: queued\x1b[2J")
            line.show("[mine]: epoch 1 of 3", 0.5, "99 images/s")
            line.show("[mine]: epoch 1 of 3", 0.9, "98 images/s")
    assert file.getvalue() == "[mine]: queued\ufffd[2J\n[mine]: epoch 1 of 3\n"
    assert "[mine]: epoch 1 of 3" in terminal.getvalue() and "98 images/s" in terminal.getvalue()
    assert terminal.getvalue().count("\n") == 1
