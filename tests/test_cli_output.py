"""What commands print for people: tables in a terminal of 80 columns, in a file, and the line of progress."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping

import pytest

from aquadash.cli import output
from aquadash.cli.describe import Table
from aquadash.cli.output import Shown, StatusLine, print_result

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


def printed(
    monkeypatch: pytest.MonkeyPatch, *text: str | Table | Shown, to: io.StringIO, values: Mapping[str, object] = {}
) -> list[str]:
    """The lines that a command prints; a dumb terminal is one of 80 columns that shows letters alone."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stdout", to)
    with output.Command("look", callback=lambda: print_result(values, *text)).make_context("look", []) as context:
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
    assert lines == ["\ufffd]0;title\ufffd", "note\ufffdmine", "", "a\ufffdb       c", "\ufffd[2Jmine  \ufffd"]


RESULT = {
    "run_id": 32 * "a",
    "accuracy": 0.5,
    "accuracy_ci95": [0.45, 0.55],
    "at_limit": False,
    "filters": [32, 64],
    "nothing": None,
    "metrics": {"seconds": 12.3, "val_loss": 1.0, "epochs": 8.0},
    "config": {"data": {"source": "drawn"}, "seed": 3, "model": {"test_time_flip": True}},
    "report": {"otter": {"recall": 0.25, "support": 4}, "seal": {"recall": 1.0, "support": 5}, "accuracy": 0.5},
    "runs": [
        {"run_id": 32 * "a", "metrics": {"seconds": 9.9}, "note": "", "layers": [{}, {}], "archived": False},
        {"run_id": 32 * "b", "metrics": {}, "note": "", "layers": [], "archived": False},
    ],
    "groups": [{"value": {"seed": 1}, "test_accuracy": {"n": 2, "mean": 0.5}}],
}


@pytest.mark.parametrize(
    ("shown", "lines"),
    [
        (Shown("accuracy"), ["Test accuracy: 50.0 % (45.0 % to 55.0 %)"]),
        (Shown("run_id"), ["run id: " + 32 * "a"]),
        (Shown("at_limit"), ["at limit: no"]),
        (Shown("filters"), ["filters: 32, 64"]),
        (Shown("metrics"), ["metrics:", "  seconds: 12 s", "  val loss: 1.000", "  epochs: 8"]),
        (Shown("metrics.seconds"), ["seconds: 12 s"]),
        (Shown("config"), ["config:", "  data.source: drawn", "  seed: 3", "  model.test_time_flip: yes"]),
        (Shown("report", "recall", "support"),
         ["report  recall  support", "otter     0.25        4", "seal         1        5"]),
        (Shown("runs"), ["run id    seconds  layers", "aaaaaaaa     10 s       2", "bbbbbbbb"]),
        (Shown("groups", "value", "test_accuracy.n", "test_accuracy.mean"),
         ["value   test_accuracy.n  test_accuracy.mean", "seed=1                2              50.0 %"]),
    ],
    ids=lambda value: value.name if isinstance(value, Shown) else "",
)  # fmt: skip
def test_one_rule_prints_scalars_as_lines_and_records_as_tables_with_the_units_of_figures(
    shown: Shown, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert printed(monkeypatch, shown, to=io.StringIO(), values=RESULT) == lines


def test_what_is_empty_is_not_printed_and_without_a_choice_all_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(
        monkeypatch, "found", "", Shown("nothing"), Shown("nothing.within"), to=io.StringIO(), values=RESULT
    ) == ["found"]
    some = {name: RESULT[name] for name in ("accuracy", "accuracy_ci95", "nothing", "filters")}
    lines = ["Test accuracy: 50.0 % (45.0 % to 55.0 %)", "filters: 32, 64"]
    assert printed(monkeypatch, to=io.StringIO(), values=some) == lines


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
