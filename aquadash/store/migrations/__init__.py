"""Upgrades of the tables by Alembic: one file a revision in ``versions``."""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine

from aquadash import settings
from aquadash.errors import StorageError

#: The folders of the revisions.
VERSIONS = (str(Path(__file__).parent / "versions"),)


def upgrade(engine: Engine, stored: str) -> None:
    """Upgrade the tables of an older version; raise ``StorageError`` for a revision of a newer version."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", os.pathsep.join(VERSIONS))
    try:
        ScriptDirectory.from_config(config).get_revision(stored)
    except CommandError:
        raise StorageError(
            f"The database {settings.shown_address(str(engine.url))} is from a newer version of AquaDash (revision "
            f"{stored[:40]}). Open it with the version that used it last, or set AQUADASH_HOME to another folder. "
            "What is stored is untouched."
        ) from None
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
