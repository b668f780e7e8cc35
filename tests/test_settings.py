"""The environment is read in one place and checked there."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquadash import settings
from aquadash.errors import ConfigError, RunError


def test_defaults(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.database() == f"sqlite:///{home}/aquadash.db" and settings.tracking_uri() is None
    assert (settings.slots(), settings.scheduler_address(), settings.cifar100_archive()) == (1, None, None)
    monkeypatch.delenv("AQUADASH_HOME")
    assert settings.home() == settings.PROJECT_ROOT / ".aquadash"
    assert settings.keras_home() == Path.home() / ".keras"


@pytest.mark.parametrize("value", ["0", "-1", "many", "65", "1.5", "²"])
def test_a_senseless_number_of_slots_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_SLOTS", value)
    with pytest.raises(ConfigError, match="AQUADASH_SLOTS"):
        settings.slots()


def test_nothing_but_the_id_of_a_run_or_a_job_becomes_part_of_a_path() -> None:
    for run_id in ("", "../../etc/passwd", "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n"):
        with pytest.raises(RunError, match="not a run id"):
            settings.checked_run_id(run_id)
    for job_id in ("", "../../etc/passwd", "train-A", "x" * 201, "train-0\n"):
        with pytest.raises(RunError, match="not the id of a job"):
            settings.job_log(job_id)
