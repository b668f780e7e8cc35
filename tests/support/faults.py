"""Faults that a test cannot produce otherwise: a full disk, a lost service, a step that must not be reached."""

from typing import Any, NoReturn

import pytest


def let_fail(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, error: BaseException) -> None:
    """Let each call of this function of a module, class or object raise an error."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(owner, name, fail)
