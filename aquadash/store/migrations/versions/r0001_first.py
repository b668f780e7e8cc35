"""The first revision: the tables as version 1.0 creates them."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Do nothing: a new database is created with these tables."""
