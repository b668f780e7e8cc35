"""PostgreSQL as the run store without a tracking server before it: whoever uses it needs the folder of files."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aquadash.config import RunConfig
from aquadash.errors import StorageError
from aquadash.store import open_store
from aquadash.store.artifacts import CONFIG
from tests import clusters
from tests.made_runs import create

pytestmark = [pytest.mark.soak, pytest.mark.skipif(bool(clusters.MISSING), reason=clusters.MISSING)]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with clusters.postgresql() as address:
        yield address


def test_runs_and_files_are_found_in_the_folder(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database)
    monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "first"))
    store = open_store()
    run_id = create(store, RunConfig(), name="kept").run_id

    # Another machine, which sees the folder under the same path.
    monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "second"))
    path = open_store().artifact(run_id, CONFIG)
    assert path is not None and path.read_text() == RunConfig().to_json()

    # One that does not, or that has a folder of its own there.
    (tmp_path / "first" / "artifacts").rename(tmp_path / "elsewhere")
    for number, content in enumerate((None, "another store's")):
        if content is not None:
            (tmp_path / "first" / "artifacts").mkdir()
            (tmp_path / "first" / "artifacts" / "store.txt").write_text(content)
        monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / f"stranger-{number}"))
        with pytest.raises(StorageError, match=r"keeps the files of runs in .*first/artifacts, .* Share that folder"):
            open_store()


def test_a_driver_that_is_not_installed_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def missing(name: str, *rest: Any, **others: Any) -> Any:
        if name.split(".")[0] == "psycopg":
            raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")
        return imported(name, *rest, **others)

    monkeypatch.setattr(builtins, "__import__", missing)
    monkeypatch.setenv("AQUADASH_DATABASE", "postgresql://me:secret@127.0.0.1:1/lab")
    with pytest.raises(StorageError, match=r"pip install -r requirements-cluster.txt") as refused:
        open_store()
    assert "secret" not in str(refused.value)
