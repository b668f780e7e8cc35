"""Groups of runs over seeds with mean and deviation, filters and order."""

import json
import statistics
from dataclasses import replace

import pytest

from aquadash.augment import Branch, PipelineSpec, op
from aquadash.config import definitions_text
from aquadash.errors import RunError, UnknownNameError
from aquadash.lab.selection import RunFilter, group_runs, sort_runs
from aquadash.store import Run, RunStatus
from aquadash.store.fields import run_fields
from aquadash.store.types import clean_tag
from tests.support.runs import run_record

FIELDS = run_fields()


def trained(name: str, seed: int, rate: float, accuracy: float | None, **values: object) -> Run:
    metrics = {} if accuracy is None else {"test_accuracy": accuracy, "val_accuracy": accuracy + 0.1}
    return run_record(name, {"seed": seed, "training.learning_rate": rate}, metrics=metrics, **values)


RUNS = [
    trained("a1", 1, 0.01, 0.5),
    trained("a2", 2, 0.01, 0.7),
    trained("a3", 3, 0.01, 0.6),
    trained("a4", 4, 0.01, None),
    trained("b1", 1, 0.1, 0.8),
]


def test_runs_that_differ_in_the_seed_only_are_one_group() -> None:
    better, worse = group_runs(RUNS)

    assert better.value == {"training.learning_rate": 0.1} and worse.value == {"training.learning_rate": 0.01}
    spread = worse.spreads["test_accuracy"]
    assert spread.n == 3
    assert spread.mean == pytest.approx(0.6) and spread.deviation == pytest.approx(statistics.stdev([0.5, 0.7, 0.6]))
    assert (len(worse.runs), worse.seeds) == (4, 4)
    assert better.spreads["val_accuracy"].deviation is None, "one run has no deviation"
    assert better.key != worse.key and worse.key == group_runs(RUNS[:4])[0].key
    assert group_runs([]) == []


def test_what_has_not_finished_and_repeats_are_in_a_group_but_not_in_its_deviation() -> None:
    others = [trained("stopped", 5, 0.01, 0.9, status=RunStatus.STOPPED)]
    again, twice = (trained("a3 again", 3, 0.01, 0.6, repeats=RUNS[2].run_id) for _ in range(2))
    (group,) = group_runs([*RUNS[:3], *others, again])
    assert (len(group.runs), group.seeds) == (5, 3)
    assert group.spreads["val_accuracy"] == group_runs(RUNS[:3])[0].spreads["val_accuracy"]
    (group,) = group_runs(others)
    assert (group.seeds, group.spreads["val_accuracy"].n) == (0, 0)

    brought = trained("a3", 3, 0.01, 0.6, run_id="f" * 32, imported_id=RUNS[2].run_id)
    for runs in ([again], [twice, again], [brought, RUNS[2]], [brought, again]):
        (group,) = group_runs(runs)
        assert group.spreads["val_accuracy"].n == 1, "repeats count once, also without the repeated run"
    forged = trained("a3", 3, 0.01, 0.8, created_at=1.0, origin="imported", imported_id=RUNS[2].run_id)
    (group,) = group_runs([forged, RUNS[2]])
    assert group.spreads["test_accuracy"].mean == 0.6, "a run that was trained here counts before its imported copy"

    # Two students trained the same: it is one training, unless other libraries gave it other numbers.
    equal, other = trained("equal", 3, 0.01, 0.6), trained("other", 3, 0.01, 0.65)
    other.metrics["val_loss"] = 0.7
    (group,) = group_runs([*RUNS[:3], equal])
    assert (group.spreads["val_accuracy"].n, len(group.runs)) == (3, 4)
    assert group_runs([*RUNS[:3], equal, other])[0].spreads["val_accuracy"].n == 4


def test_other_words_of_a_saved_pipeline_are_the_same_group_and_other_steps_are_not() -> None:
    def with_fog(seed: int, title: str, step: str) -> Run:
        spec = PipelineSpec("fog", "Fog", "", (Branch(title, (op(step),)),))
        carried = definitions_text({"fog": json.loads(spec.to_json())})
        return run_record(
            str(seed), {"seed": seed, "augmentation.pipeline": "fog", "augmentation.definitions": carried}
        )

    runs = [with_fog(1, "One", "Fog"), with_fog(2, "One", "Fog"), with_fog(3, "Misty", "Fog")]
    (group,) = group_runs(runs)
    assert (len(group.runs), group.seeds) == (3, 3)
    assert len(group_runs([*runs, with_fog(4, "One", "Clouds")])) == 2
    on_other_images = replace(runs[0], dataset_fingerprint="others")
    assert len(group_runs([*runs, on_other_images])) == 2


def test_order_is_by_any_field_with_pins_first_and_the_unknown_last() -> None:
    runs = [*RUNS, trained("pinned", 9, 1.0, None, pinned=True)]
    names = [run.name for run in sort_runs(runs, "-test_accuracy", FIELDS)]
    assert names == ["pinned", "b1", "a2", "a3", "a1", "a4"]
    assert [run.name for run in sort_runs(RUNS, "test_accuracy", FIELDS)] == ["a1", "a3", "a2", "b1", "a4"]
    assert [run.name for run in sort_runs([run_record("B"), run_record("a")], "name", FIELDS)] == ["a", "B"]
    astray = [run_record(str(loss), metrics={"val_loss": loss}) for loss in (2.0, float("nan"), 1.0)]
    assert [run.name for run in sort_runs(astray, "val_loss", FIELDS)] == ["1.0", "2.0", "nan"]
    with pytest.raises(UnknownNameError, match="test_accuracy"):
        sort_runs(runs, "test_acuracy", FIELDS)


def test_filters() -> None:
    runs = [
        run_record("old", archived=True, metrics={"odd": 1.0}),
        run_record("trial", search_id="s"),
        run_record("failed", status=RunStatus.FAILED),
        run_record("tagged", tags=("x", "y"), pinned=True),
        run_record("good", metrics={"val_accuracy": 0.9}),
        run_record("other", {"data.source": "cifar100", "model.name": "baseline", "augmentation.pipeline": "none"}),
    ]

    def names(**values: object) -> list[str]:
        return [run.name for run in RunFilter(**values).apply(runs)]

    assert names() == ["failed", "tagged", "good", "other"]
    assert names(archived=True, trials=True) == [run.name for run in runs]
    assert names(one_of={"status": ["failed"]}) == ["failed"]
    for name, value in (("data.source", "cifar100"), ("model.name", "baseline"), ("augmentation.pipeline", "none")):
        assert names(one_of={name: [value], "status": []}) == ["other"]
    assert names(tags=["x", "y"]) == ["tagged"] == names(pinned=True) and names(tags=["x", "z"]) == []
    assert names(accuracy=(0.5, 1.0)) == ["good"] and names(accuracy=(0.0, 0.5)) == []
    assert names(where="tags like '%x%' or val_accuracy > 0.5") == ["tagged", "good"]
    assert names(where="odd > 0.5") == [] and names(archived=True, where="odd > 0.5") == ["old"]


def test_tags_are_tidied_or_refused() -> None:
    assert clean_tag("  For the Poster ") == "for-the-poster"
    assert clean_tag("Größe_2.5") == "größe_2.5"
    for bad in ("", " ", "a/b", "a,b", "<b>", "-a", "a-", "x" * 41, "../x", "a\x00b"):
        with pytest.raises(RunError):
            clean_tag(bad)
