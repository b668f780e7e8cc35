"""How a :class:`Run` is written into MLflow tags and read back: the only place that knows the tags' names."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from aquadash import config as run_config
from aquadash.config import RunConfig
from aquadash.errors import AquaDashError
from aquadash.people import Person
from aquadash.runs.types import Guess, Run, RunStatus, clean_name

STATUS = "aquadash.status"
CONFIG = "aquadash.config"
#: The saved pipelines that a config carries, in numbered parts, for a tag holds no more than 8,000 characters.
DEFINITIONS = "aquadash.config.definitions."
CREATED = "aquadash.created_at"
QUEUED = "aquadash.queued_at"
STARTED = "aquadash.started_at"
ENDED = "aquadash.ended_at"
#: Written by version 0.6.0, as :data:`LOG_TAIL`; now the jobs have both.
PROGRESS = "aquadash.progress"
CLASS_NAMES = "aquadash.class_names"
FINGERPRINT = "aquadash.dataset_fingerprint"
METRICS = "aquadash.metrics"
CURVE = "aquadash.curve"
WORKER = "aquadash.worker"
#: Where version 0.6.0 kept the fingerprint of own pictures that were sent to a cluster, until they were loaded there.
FINGERPRINT_0_6 = "aquadash.data_sent"
GUESS = "aquadash.guess"
MESSAGE = "aquadash.message"
LOG_TAIL = "aquadash.log_tail"
SEARCH = "aquadash.search_id"
ORIGIN = "aquadash.origin"
#: The id that a run from another store had where it was trained.
IMPORTED_ID = "aquadash.imported_id"
REPEATS = "aquadash.repeats"
#: For whom a run stands first, with a space between where it is both.
PINNED = "aquadash.pinned"
PINNED_FOR_ALL, PINNED_BY_OWNER = "1", "owner"
ARCHIVED = "aquadash.archived"
TEST_IMAGES = "aquadash.test_images"
#: "1" on a run that has figures of its robustness, and what says so of those that version 0.6.0 has measured.
ROBUSTNESS = "aquadash.robustness"
ROBUSTNESS_0_6 = "aquadash.job.robustness.status"
#: What begins the name of a tag that holds a label given by a person: one MLflow tag a label, so that two people can
#: label a run at the same time.
LABEL = "aquadash.label."
#: The id of whoever asked for the run, and what they were called then.
OWNER = "aquadash.owner"
OWNER_NAME = "aquadash.owner_name"
#: "0" on the runs of students. All others are there for the whole class.
SHARED = "aquadash.shared"
HIDDEN = "aquadash.hidden"
#: MLflow shows this one as a run's description in its own pages.
NOTE = "mlflow.note.content"
#: What MLflow's own pages show as the program that made a run.
SOURCE = "mlflow.source.name"
#: MLflow's own name of a run.
NAME = "mlflow.runName"

#: The fields of a run that are a text or a number, and those that are JSON, by the tags that hold them.
_TEXTS = {
    "created_at": CREATED, "queued_at": QUEUED, "started_at": STARTED, "ended_at": ENDED, "note": NOTE,
    "dataset_fingerprint": FINGERPRINT, "message": MESSAGE, "log_tail": LOG_TAIL, "search_id": SEARCH, "origin": ORIGIN,
    "imported_id": IMPORTED_ID, "repeats": REPEATS, "test_images": TEST_IMAGES,
}  # fmt: skip
_JSON = {
    "progress": PROGRESS, "worker": WORKER, "class_names": CLASS_NAMES, "metrics": METRICS, "curve": CURVE,
}  # fmt: skip

#: What goes along when a run moves to another store. All else means something on the machine that it was made on only;
#: whose it is there follows from who brings it in, and what the class sees of it from its teacher.
_MOVING = frozenset({STATUS, CONFIG, CLASS_NAMES, METRICS, CURVE, GUESS, PINNED, ARCHIVED, NAME, *_TEXTS.values()})
_MOVING = (_MOVING | {ROBUSTNESS, ROBUSTNESS_0_6}) - {SEARCH, ORIGIN, LOG_TAIL}

#: Points of the short curve kept for tables of runs: enough for a spark line, small enough for a tag.
CURVE_POINTS = 60


#: Characters in a part of :data:`DEFINITIONS`.
_PART = 6000
#: The longest value that MLflow keeps of a parameter.
_PARAMETER_LIMIT = 6000


def config_tags(config: RunConfig) -> dict[str, str]:
    """A config as tags, none of them longer than MLflow keeps."""
    definitions = config.augmentation.definitions
    bare = run_config.with_values(config, {run_config.DEFINITIONS: ""})
    parts = [definitions[start : start + _PART] for start in range(0, len(definitions), _PART)]
    return {
        CONFIG: bare.model_dump_json(),
        **{f"{DEFINITIONS}{number}": part for number, part in enumerate(parts)},
    }


def parameters(config: RunConfig) -> dict[str, str]:
    """The settings for people who look at the store with MLflow's own pages, carried pipelines in words."""
    values = {name: str(value)[:_PARAMETER_LIMIT] for name, value in run_config.flatten(config).items()}
    values[run_config.DEFINITIONS] = run_config.describe_definitions(config.augmentation.definitions)[:_PARAMETER_LIMIT]
    return values


def _config(tags: Mapping[str, str]) -> RunConfig:
    """The reverse of :func:`config_tags`."""
    parts: list[str] = []
    while (part := tags.get(f"{DEFINITIONS}{len(parts)}")) is not None:
        parts.append(part)
    return _config_of(tags[CONFIG], "".join(parts))


@functools.lru_cache(maxsize=256)
def _config_of(text: str, definitions: str) -> RunConfig:
    """The same text is read again with every write to a run."""
    config = run_config.from_json(text)
    return run_config.with_values(config, {run_config.DEFINITIONS: definitions}) if definitions else config


def moves(name: str) -> bool:
    """Whether a tag goes along when the run moves to another store: also what other programs wrote on it."""
    return name in _MOVING or name.startswith((DEFINITIONS, LABEL)) or not name.startswith(("aquadash.", "mlflow."))


def owner_tags(person: Person) -> dict[str, str]:
    """Whose a new run is."""
    return {OWNER: person.person_id, OWNER_NAME: person.name, SHARED: "1" if person.leads else "0"}


def thin(values: Sequence[float]) -> list[float]:
    """At most :data:`CURVE_POINTS` of the values, first and last among them, to four decimals."""
    count = len(values)
    if count <= CURVE_POINTS:
        return [round(value, 4) for value in values]
    return [round(values[round(i * (count - 1) / (CURVE_POINTS - 1))], 4) for i in range(CURVE_POINTS)]


@dataclass(frozen=True)
class StoredRun:
    """A run as the store has it."""

    #: 32 hexadecimal digits.
    run_id: str
    #: All its tags.
    tags: Mapping[str, str]
    #: True if it is in the bin.
    deleted: bool = False

    def read(self) -> Run | None:
        """The record of the run.

        Returns:
            None for a run that another program put into the same store. One whose tags are damaged has the status
            ``unreadable``, a message that says what is wrong, and nothing that its tags say but whose it is.
        """
        return _read(self) if STATUS in self.tags else None


_RUN = TypeAdapter(Run)
_GUESS = TypeAdapter(Guess)


def _read(stored: StoredRun) -> Run:
    tags = stored.tags
    known: dict[str, Any] = {
        "run_id": stored.run_id,
        "name": clean_name(tags.get(NAME)) or stored.run_id[:8],
        "deleted": stored.deleted,
        "owner": tags.get(OWNER, ""),
        "owner_name": tags.get(OWNER_NAME, ""),
        "shared": tags.get(SHARED) != "0",
        "hidden": tags.get(HIDDEN) == "1",
    }
    try:
        run = _RUN.validate_python(
            {
                **known,
                "status": tags[STATUS],
                "config": _config(tags),
                "tags": sorted(
                    name.removeprefix(LABEL) for name, text in tags.items() if name.startswith(LABEL) and text
                ),
                "pinned": PINNED_FOR_ALL in tags.get(PINNED, "").split(),
                "pinned_by_owner": PINNED_BY_OWNER in tags.get(PINNED, "").split(),
                "archived": tags.get(ARCHIVED) == "1",
                "has_robustness": bool(tags.get(ROBUSTNESS) or tags.get(ROBUSTNESS_0_6)),
                "guess": _guess(tags.get(GUESS)),
                # A tag that was emptied is as good as none.
                "dataset_fingerprint": tags.get(FINGERPRINT_0_6, ""),
                **{name: tags[key] for name, key in _TEXTS.items() if tags.get(key)},
                **{name: _json(name, tags[key]) for name, key in _JSON.items() if tags.get(key)},
            }
        )
        if run.status is RunStatus.UNREADABLE:
            raise ValueError(f"status: {run.status}")
        return run
    except (KeyError, ValueError, AquaDashError) as error:
        message = f"What is stored of this run cannot be read ({reason(error)})."
        return Run(**known, status=RunStatus.UNREADABLE, config=RunConfig(), created_at=0.0, message=message)


def _json(name: str, text: str) -> Any:
    try:
        return from_json(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _guess(text: str | None) -> Guess | None:
    """None, too, for a guess that cannot be read: it is no reason to lose sight of the run."""
    try:
        return _GUESS.validate_json(text) if text else None
    except (ValueError, AquaDashError):
        return None


def reason(error: Exception) -> str:
    """The first thing that is wrong, in a few words."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return ": ".join(filter(None, (".".join(str(part)[:60] for part in first["loc"]), first["msg"])))
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)[:300]
