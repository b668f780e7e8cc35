"""The tables of the database.

A change of these tables is a new revision in ``migrations/versions``; ``docs/extending.md`` has the recipe.
"""

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

#: The revision of the tables below, as Alembic names it.
HEAD = "0001"

_JSON = JSON(none_as_null=True)
metadata = MetaData()

#: A row a run. Columns have the names of the fields of :class:`aquadash.store.types.Run`, which reads and writes them.
runs = Table(
    "runs",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("status", String(20), nullable=False),
    Column("message", Text, nullable=False, default=""),
    Column("config", _JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("queued_at", Float, nullable=False, default=0.0),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("worker", _JSON),
    Column("class_names", _JSON, nullable=False, default=list),
    Column("dataset_fingerprint", String(200), nullable=False, default=""),
    Column("metrics", _JSON, nullable=False, default=dict),
    Column("curve", _JSON, nullable=False, default=list),
    Column("test_images", Integer),
    Column("has_robustness", Boolean, nullable=False, default=False),
    Column("note", Text, nullable=False, default=""),
    Column("guess", _JSON),
    Column("tags", _JSON, nullable=False, default=list),
    Column("pinned", Boolean, nullable=False, default=False),
    Column("pinned_by_owner", Boolean, nullable=False, default=False),
    Column("archived", Boolean, nullable=False, default=False),
    Column("hidden", Boolean, nullable=False, default=False),
    Column("deleted", Boolean, nullable=False, default=False),
    Column("owner", String(100), nullable=False, default=""),
    Column("owner_name", String(200), nullable=False, default=""),
    Column("shared", Boolean, nullable=False, default=True),
    Column("origin", String(40), nullable=False, default=""),
    Column("imported_id", String(32), nullable=False, default=""),
    Column("repeats", String(32), nullable=False, default=""),
    Column("search_id", String(32), nullable=False, default=""),
    # The number, values and pruning of a trial; None for other runs.
    Column("trial", _JSON),
    Column("revision", Integer, nullable=False),
)

#: A row a complete epoch.
epochs = Table(
    "epochs",
    metadata,
    Column("run_id", String(32), ForeignKey("runs.run_id"), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("loss", Float, nullable=False),
    Column("accuracy", Float, nullable=False),
    Column("val_loss", Float, nullable=False),
    Column("val_accuracy", Float, nullable=False),
    Column("learning_rate", Float, nullable=False),
    Column("seconds", Float, nullable=False),
)

#: A row for the latest job of each kind on each subject.
jobs = Table(
    "jobs",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("run", String(150), nullable=False),
    Column("owner", String(100), nullable=False),
    Column("position", Float, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("rank", Float),
    Column("needs", String(40), nullable=False),
    Column("request", _JSON, nullable=False),
    Column("status", String(20), nullable=False, default="queued"),
    Column("attempt", Integer, nullable=False, default=0),
    Column("worker_failures", Integer, nullable=False, default=0),
    Column("worker", _JSON),
    # The name of the worker's slots, of which each machine or graphics card has a fixed number.
    Column("slots_of", String(150)),
    # Unix time when the lease expires. Negative: the lease has expired once; the job counts as lost at -lease.
    Column("lease", Float),
    Column("progress", _JSON),
    Column("result", _JSON, nullable=False, default=dict),
    Column("message", Text, nullable=False, default=""),
    Column("log_tail", Text, nullable=False, default=""),
    Column("stop_requested", Boolean, nullable=False, default=False),
    Column("submitted_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("revision", Integer, nullable=False),
)

#: A row a search. Its trials are the runs that carry its id.
searches = Table(
    "searches",
    metadata,
    Column("search_id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("status", String(20), nullable=False),
    Column("message", Text, nullable=False, default=""),
    Column("plan", _JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("images", String(200), nullable=False, default=""),
    Column("owner", String(100), nullable=False, default=""),
    Column("owner_name", String(200), nullable=False, default=""),
    Column("shared", Boolean, nullable=False, default=True),
    Column("hidden", Boolean, nullable=False, default=False),
    Column("revision", Integer, nullable=False),
)

#: One row: the revision of the last write, and a random text that identifies the database.
revision = Table(
    "revision",
    metadata,
    Column("value", Integer, nullable=False),
    Column("identity", String(32), nullable=False),
)

Index("runs_revision", runs.c.revision)
Index("runs_search", runs.c.search_id)
Index("jobs_queue", jobs.c.status, jobs.c.position)
Index("jobs_revision", jobs.c.revision)
