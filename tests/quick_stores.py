"""A new run store in a blink: what seventy migrations make in a second is copied from the process's first one."""

from __future__ import annotations

import functools
import sqlite3
from typing import Any

from aquadash.store import reading


def copy_new_stores() -> None:
    """Let this process run the migrations for its first new store alone; processes that it starts are not touched."""
    _share_compiled_statements()
    connect = reading.connect

    @functools.wraps(connect)
    def quick() -> Any:
        _teach_mlflow()
        return connect()

    reading.connect = quick  # type: ignore[attr-defined]


def _share_compiled_statements() -> None:
    """Share SQLAlchemy's compiled statements among all databases, which saves a sixth of the time of tests of pages."""
    from sqlalchemy import Engine, event
    from sqlalchemy.dialects.sqlite import pysqlite
    from sqlalchemy.util import LRUCache

    # The cache asks for the very dialect, of which every engine has another instance.
    dialect: Any = pysqlite.dialect
    dialect.__eq__ = lambda one, other: type(one) is type(other)
    dialect.__hash__ = lambda one: hash(type(one))
    compiled: LRUCache[Any, Any] = LRUCache(2000)
    event.listen(Engine, "engine_connect", lambda connection: connection.execution_options(compiled_cache=compiled))


@functools.cache
def _teach_mlflow() -> None:
    """Called when the first store is opened, since importing MLflow takes a second that most tests need not spend."""
    import os

    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow.store.db import utils

    make = utils._initialize_tables
    made: list[bytes] = []

    def initialize(engine: Any) -> None:
        if engine.url.get_backend_name() != "sqlite" or not utils._is_empty_database(engine):
            make(engine)
        elif made:
            template = sqlite3.connect(":memory:")
            template.deserialize(made[0])
            connection = engine.raw_connection()
            template.backup(connection.driver_connection)
            connection.close()
            template.close()
        else:
            make(engine)
            connection = engine.raw_connection()
            made.append(connection.driver_connection.serialize())
            connection.close()

    utils._initialize_tables = initialize
    # It reads seventy files to learn the name of the newest, each time that a store is opened.
    utils._get_latest_schema_revision = functools.cache(utils._get_latest_schema_revision)
