"""Conditions on runs in SQL: the selected runs, the error messages, and the refusal of hostile conditions."""

import time
from datetime import datetime

import pytest

from aquadash.lab import query
from aquadash.lab.query import EXAMPLES, MAX_LENGTH, QueryError, names, select
from aquadash.store.fields import run_fields
from tests.support.runs import run_record

RUNS = [
    run_record(
        "Quick Adam",
        {"training.optimizer": "adam", "seed": 1, "training.learning_rate": 0.001},
        tags=("flip", "week-2"),
        metrics={"val_accuracy": 0.7, "test_accuracy": 0.6, "like": 1.0, "accuracy": 0.1},
        note="For the POSTER, 'my' best",
        started_at=10.0,
        ended_at=70.0,
        created_at=datetime(2026, 11, 2, 12).timestamp(),
    ),
    run_record(
        "slow",
        {"seed": 2, "model.filters": (8, 16)},
        metrics={"val_accuracy": 0.5},
        archived=True,
        pinned=True,
        created_at=datetime(2026, 10, 31).timestamp(),
    ),
    run_record(
        "new",
        {"seed": 3, "model.batch_normalization": True},
        curve=(0.2, 0.4),
        search_id="s",
        created_at=datetime(2026, 10, 30).timestamp(),
    ),
]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("accuracy > 0.6 and name like '%adam%'", ["Quick Adam"]),
        ("Val_Accuracy between 0.4 and 0.5", ["slow", "new"]),
        ("training.optimizer = 'ADAM'", ["Quick Adam"]),
        ('optimizer == "adam"', ["Quick Adam"]),
        ('"training.optimizer" <> \'adam\' and "seed" < 3', ["slow"]),
        ("tags like '%flip%'", ["Quick Adam"]),
        ("note like \"%poster, 'my'%\"", ["Quick Adam"]),
        ("name = 'seed' or seed in (1, 3)", ["Quick Adam", "new"]),
        ("filters = '8, 16'", ["slow"]),
        ("not archived AND NOT trial", ["Quick Adam"]),
        ("pinned or model.batch_normalization", ["slow", "new"]),
        ("test_accuracy is not null and test_accuracy < 1", ["Quick Adam"]),
        ("val_accuracy - test_accuracy > 0.05", ["Quick Adam"]),
        ("created >= '2026-11-01'", ["Quick Adam"]),
        ("duration = 60 and status = 'finished'", ["Quick Adam"]),
        ("network = 'notebook' and training.epochs > 0 and epochs is null", ["Quick Adam", "slow", "new"]),
        ("seed = '2' -- a comment", ["slow"]),
        ("", ["Quick Adam", "slow", "new"]),
    ],
)
def test_a_condition_selects_the_runs_that_meet_it(condition: str, expected: list[str]) -> None:
    assert [run.name for run in select(RUNS, condition)] == expected


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("val_acuracy > 0.6", "Did you mean 'val_accuracy'"),
        ("seed > 1 and lerning_rate > 1", "Did you mean 'learning_rate'"),
        ("model.name = notebook", "Text stands in quotes"),
        ("seed > 1 && seed < 3", "cannot be read"),
        ("(seed > 1", "cannot be read"),
        ("name = 'open", "cannot be read"),
        ("seed = 1" + " " * MAX_LENGTH, "at most 1,000"),
    ],
)
def test_errors_say_what_is_wrong(condition: str, words: str) -> None:
    with pytest.raises(QueryError, match="There is no|The condition") as caught:
        select(RUNS, condition)
    assert words in str(caught.value)


#: Conditions that read tables or files, change the database, or call a function that takes long.
HOSTILE = """
seed in (select seed from runs)
exists (select 1)
1) union select position from runs where (1
(with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n)
name in (select group_concat(name) from runs, runs, runs)
sqlite_master.name = 'runs'
(select sql from sqlite_master)
1; drop table runs
1; pragma journal_mode
1; attach 'stolen.db' as x
load_extension('evil.so')
readfile('/etc/passwd')
randomblob(1000000000) is null
zeroblob(1e9)
hex(name)
printf('%1000000000d', 1)
replace(note, '', 'x')
sqlite_version() > '3'
note -> '$' = 1
name regexp '(a+)+b'
name match 'x'
raise(abort, 'x')
last_insert_rowid()
count(*)
max(seed)
seed = ?
seed = :name
seed group by seed
1) --
1 /*
abs(-9223372036854775808)
"""


@pytest.mark.parametrize(
    "condition",
    [
        *HOSTILE.strip().splitlines(),
        "'\x00' = name",
        "\ud800 = 1",
        "not " * 200 + "pinned",
        "- " * 400 + "1 > 0",
        f"name like '{'%a' * 200}'",
        f"glob('{'*[a-z]' * 100}', name)",
        f"name like {'||'.join(['note'] * 150)}",
    ],
)
def test_a_hostile_condition_is_refused_at_once(condition: str) -> None:
    runs = [run_record(str(number), note="a" * 4000) for number in range(300)]
    began = time.process_time()
    with pytest.raises(QueryError):
        select(runs, condition)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "condition",
    [
        " or ".join([f"note like '{'%a' * 90}b'"] * 5),
        " or ".join([f"glob('{'*[a-z]' * 25}0', note)"] * 5),
        "(" * 400 + "1" + ")" * 400,
        "note || note || note = note || note",
    ],
)
def test_what_is_much_work_for_many_runs_ends_soon(condition: str) -> None:
    runs = [run_record(str(number), note="a" * 4000) for number in range(1000)]
    began = time.process_time()
    select(runs, condition)
    assert time.process_time() - began < 2


def test_a_condition_of_too_many_steps_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "MAX_STEPS", 20)
    with pytest.raises(QueryError, match="takes too long"):
        select(RUNS * 10, "seed > 0 and seed < 10")


def test_every_name_can_be_asked_for_and_forged_figures_take_no_name_away() -> None:
    for example, _ in EXAMPLES:
        select(RUNS, example)
    known = names(run_fields(RUNS))
    for name, field in known.items():
        unnamed = [run.name for run in select(RUNS, f'"{name}" is null')]
        assert unnamed == [run.name for run in RUNS if field.get(run) is None], name
    assert known["accuracy"] is known["val_accuracy"] and known["epochs"].name == "epochs"
    assert [run.name for run in select(RUNS, '"like" > 0')] == ["Quick Adam"]
