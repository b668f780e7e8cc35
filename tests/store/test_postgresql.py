"""PostgreSQL as the database: it belongs to one home, which several machines may share."""

import shutil
import sys
from pathlib import Path

import pytest

from aquadash import settings
from aquadash.errors import StorageError
from aquadash.store import RunStatus, open_store
from tests.support import clusters
from tests.support.runs import make_run

pytestmark = [pytest.mark.soak, pytest.mark.skipif(bool(clusters.MISSING), reason=clusters.MISSING)]


def test_the_database_is_opened_with_its_own_home_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with clusters.postgresql() as database:
        monkeypatch.setenv("AQUADASH_DATABASE", database)
        monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "first"))
        store = open_store()
        run_id = make_run(store, "kept", status=RunStatus.QUEUED).run_id

        # Another machine mounts the same folder under another path.
        (tmp_path / "mounted").symlink_to(tmp_path / "first")
        monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "mounted"))
        assert open_store().get(run_id).name == "kept"

        monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "empty"))
        with pytest.raises(StorageError, match=r"belongs to another AQUADASH_HOME .*database.txt there is missing"):
            open_store()
        shutil.copytree(tmp_path / "first", tmp_path / "other")
        monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "other"))
        settings.home_mark().write_text("of another database")
        with pytest.raises(StorageError, match="names another database"):
            open_store()


def test_a_driver_that_is_not_installed_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)  # Python raises a ModuleNotFoundError for such an entry.
    monkeypatch.setenv("AQUADASH_DATABASE", "postgresql://me:secret@127.0.0.1:1/lab")
    with pytest.raises(StorageError, match=r"pip install -r requirements-cluster.txt") as refused:
        open_store()
    assert "secret" not in str(refused.value)
