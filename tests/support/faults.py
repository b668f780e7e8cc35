"""Faults that a test cannot produce otherwise, such as a full disk, and the settings of tests of random input."""

import os
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings


def let_fail(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, error: BaseException) -> None:
    """Let each call of this function of a module, class or object raise an error."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(owner, name, fail)


def tries(count: int) -> settings:
    """Try this number of inputs, the same in each run; ``AQUADASH_FUZZ=2000`` tries 2,000."""
    return settings(
        max_examples=int(os.environ.get("AQUADASH_FUZZ", str(count))),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
