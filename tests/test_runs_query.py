"""Conditions on runs: what they find, what they refuse, and that nothing typed is ever executed."""

from __future__ import annotations

import random
from datetime import datetime

import pytest

from aquadash.runs.fields import run_fields
from aquadash.runs.query import EXAMPLES, MAX_LENGTH, QueryError, parse, pointer, select
from tests.made_runs import made_run

RUNS = [
    made_run(
        "Quick Adam",
        {"training.optimizer": "adam", "seed": 1, "training.learning_rate": 0.001},
        tags=("flip", "week-2"),
        metrics={"val_accuracy": 0.7, "test_accuracy": 0.6},
        note="For the POSTER",
        started_at=10.0,
        ended_at=70.0,
        created_at=datetime(2026, 11, 2, 12).timestamp(),
    ),
    made_run(
        "slow", {"seed": 2, "model.filters": (8, 16)}, metrics={"val_accuracy": 0.5}, archived=True, pinned=True,
        created_at=datetime(2026, 10, 31).timestamp(),
    ),
    made_run("new", {"seed": 3, "model.batch_normalization": True}, curve=(0.2, 0.4), search_id="s"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("val_accuracy > 0.6", ["Quick Adam"]),
        ("0.4 <= val_accuracy <= 0.5", ["slow", "new"]),
        ('training.optimizer == "ADAM"', ["Quick Adam"]),
        ('"flip" in tags', ["Quick Adam"]),
        ('"FLIP" not in tags', ["slow", "new"]),
        ('"poster" in note', ["Quick Adam"]),
        ('"quick" in name or seed == 3', ["Quick Adam", "new"]),
        ("seed in [1, 3]", ["Quick Adam", "new"]),
        ("seed in ()", []),
        ("16 in model.filters", ["slow"]),
        ("model.filters == [8, 16]", ["slow"]),
        ("not archived and not trial", ["Quick Adam"]),
        ("pinned == True or model.batch_normalization", ["slow", "new"]),
        ("test_accuracy != None", ["Quick Adam"]),
        ("test_accuracy < 1", ["Quick Adam"]),
        ("test_accuracy != 0.6", []),
        ("val_accuracy - test_accuracy > 0.05", ["Quick Adam"]),
        ("-seed < -2", ["new"]),
        ("1 / (seed - 1) > 0.4", ["slow", "new"]),
        ('created >= "2026-11-01"', ["Quick Adam"]),
        ('"2026-10-31" <= created < "2026-11-02 11:00"', ["slow"]),
        ("duration == 60", ["Quick Adam"]),
        ('status == "finished" and training.learning_rate < 0.005', ["Quick Adam"]),
        ("(seed == 1\nor seed == 2)", ["Quick Adam", "slow"]),
        ("", ["Quick Adam", "slow", "new"]),
    ],
)
def test_conditions_find_what_they_say(condition: str, found: list[str]) -> None:
    runs = RUNS[:2] if "created" in condition else RUNS
    assert [run.name for run in select(runs, condition)] == found


@pytest.mark.parametrize(
    ("condition", "position", "words"),
    [
        ("val_acuracy > 0.6", 0, "Did you mean val_accuracy"),
        ("seed > 1 and learning_rate > 1", 13, "Did you mean training.learning_rate"),
        ("model.name == notebook", 14, "put it into quotes"),
        ('"ü" == näme', 7, "'näme'"),
        ('seed == "1"', 8, "A number cannot be compared with a text"),
        ("seed = 3", 5, "write =="),
        ("seed > 1 && seed < 3", 10, "Write and instead of &&"),
        ('"flip" in tags and', 18, "cannot be read"),
        ("(seed > 1", 0, "A bracket is missing"),
        ("seed", 0, "must be true or false"),
        ("seed and pinned", 0, "go between conditions"),
        ('tags > "a"', 7, "cannot be compared"),
        ('1 in seed', 5, "After in comes a text or a list"),
        ('"x" in model.filters', 7, "Only a number"),
        ('created > "yesterday"', 10, "'2026-11-25'"),
        ("seed is 3", 8, "go with None only"),
        ("seed < None", 7, "is None"),
        ("note + 1 > 2", 0, "go between numbers"),
        ('seed in [1, "a"]', 8, "not both"),
        ("seed in [seed]", 8, "no names"),
        ("pinned > True", 9, "no order"),
        ("", 0, "empty"),
        ("seed == 1" + " " * MAX_LENGTH, MAX_LENGTH, "at most 1,000"),
    ],
)  # fmt: skip
def test_errors_say_where_and_what(condition: str, position: int, words: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(condition)
    assert words in str(caught.value)
    assert caught.value.position == position


@pytest.mark.parametrize(
    "condition",
    [
        "__import__('os').system('true')", "(lambda: True)()", "[x for x in tags]", "name.upper() == 'A'",
        "tags[0] == 'a'",
        "f'{name}' == 'a'", "seed := 3", "name.__class__ == 1", "().__class__", "exec('1')", "seed ** 9999 > 1",
        "seed if pinned else archived", "*tags", "await name", "{1: 2}", "seed << 3 > 1", "b'a' in name", "1j == 2",
        "'x' * 99999999 == name", "9" * 900 + " > seed", "...", "seed == 1; seed == 2", "~seed > 1", "\x00",
        "\ud800 == 1",
        "(" * 400 + ")" * 400, "-" * 300 + "1 > 0", "not " * 200 + "pinned",
    ],
)  # fmt: skip
def test_nothing_else_is_understood(condition: str) -> None:
    with pytest.raises(QueryError):
        parse(condition)


def test_random_text_is_either_read_or_refused() -> None:
    operands = [
        "seed", "model.name", "tags", "created", "pinned", "val_accuracy", "None", "0", "1.5", "1e999", '"flip"', "-2",
        "'2026-01-01'", "[1, 2]", "()", "(seed + 1)", "not pinned", "model.filters",
    ]  # fmt: skip
    between = ["and", "or", "in", "not in", "is", "==", "!=", "<", ">=", "+", "-", "*", "/"]
    noise = ["(", ")", "[", ",", "é", "\n", "\t", ".", ":", "lambda", "=", "\\", "#", "'", "  ", "😀", "\x00"]
    draw = random.Random(7)
    read = refused = 0
    for _ in range(4000):
        words = [draw.choice(operands)]
        for _ in range(draw.randint(1, 4)):
            words += [draw.choice(between), draw.choice(operands)]
        if draw.random() < 0.3:
            words.insert(draw.randrange(len(words)), draw.choice(noise))
        text = " ".join(words)
        try:
            query = parse(text)
        except QueryError as error:
            refused += 1
            assert 0 <= error.position <= len(text)
            assert pointer(text, error.position).count("\n") == 1
        else:
            read += 1
            for run in RUNS:
                assert query.matches(run) in (True, False)
    assert read > 100 and refused > 100, (read, refused)


def test_examples_can_be_used_as_they_stand() -> None:
    for example, _ in EXAMPLES:
        parse(example)


def test_every_field_can_be_asked_for_of_every_run() -> None:
    for name, field in run_fields(RUNS).items():
        assert [run.name for run in select(RUNS, f"{name} is None")] == [r.name for r in RUNS if field.get(r) is None]


def test_metrics_that_only_some_runs_have_are_names_too() -> None:
    runs = [*RUNS, made_run("odd", metrics={"top_2": 0.9})]
    assert [run.name for run in select(runs, "top_2 > 0.5")] == ["odd"]


def test_the_mark_stands_under_the_place() -> None:
    assert pointer("seed > x", 7) == "seed > x\n       ^"
    line, mark = pointer("a" * 300, 200).split("\n")
    assert len(line) <= 100 and mark.index("^") < 100
