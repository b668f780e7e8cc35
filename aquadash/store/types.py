"""The records of a run, as the store keeps them and as pages and commands read them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from aquadash.config import RunConfig, Value
from aquadash.errors import RunError
from aquadash.evaluation.records import Count as Count
from aquadash.evaluation.records import EpochRecord as EpochRecord
from aquadash.evaluation.records import EpochReplay as EpochReplay
from aquadash.evaluation.records import Guess as Guess
from aquadash.evaluation.records import Predictions as Predictions
from aquadash.people import Resource
from aquadash.store.job_types import Worker as Worker

#: A measured number: finite, and never made of a text.
Figure = Annotated[float, Field(strict=True, allow_inf_nan=False)]
#: 0 to 1.
Fraction = Annotated[Figure, Field(ge=0, le=1)]
#: Seconds since 1970 UTC, up to the year 3000, which every calendar can show.
Time = Annotated[float, Field(ge=0, le=32_503_680_000, allow_inf_nan=False)]


def within_their_ranges(metrics: dict[str, float]) -> dict[str, float]:
    """The figures of a run, by name."""
    for name, value in metrics.items():
        counts = name.endswith(("epoch", "seconds")) or name == "epochs"
        least, most = (0, 1) if name.endswith("accuracy") else (0, 2**31) if counts else (-1e39, 1e39)
        if not least <= value <= most:
            raise ValueError(f"{name[:60]} is {value:g}; expected {least} to {most}")
    return metrics


_NAME_LIMIT = 120
_TAG_LIMIT = 40
_TAG = re.compile(r"\w(?:[\w.-]*\w)?")


def clean_name(name: str | None) -> str:
    """Printable characters only, runs of white space made one blank, at most 120 characters."""
    printable = "".join(char if char.isprintable() else " " for char in name or "")
    return " ".join(printable.split())[:_NAME_LIMIT].rstrip()


def clean_tag(text: str) -> str:
    """A tag as it is kept: small letters, hyphens for blanks, at most 40 characters."""
    cleaned = re.sub(r"\s+", "-", text.strip()).lower()
    if len(cleaned) > _TAG_LIMIT:
        raise RunError(f"The tag {text[:20]!r}... has {len(cleaned)} characters; at most {_TAG_LIMIT} fit.")
    if not _TAG.fullmatch(cleaned):
        raise RunError(
            f"{text[:_TAG_LIMIT]!r} cannot be a tag. Use letters and digits, with hyphens, dots or underscores between "
            "them: too-dark."
        )
    return cleaned


def reason(error: Exception) -> str:
    """Return the first thing that is wrong, in a few words."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return ": ".join(filter(None, (".".join(str(part)[:60] for part in first["loc"]), first["msg"])))
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)[:300]


class RunStatus(StrEnum):
    """Where a run is in its life: ``queued -> running -> finished | stopped | failed | interrupted``.

    ``unreadable`` is never stored: it is what a run reads as whose record is damaged.
    """

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    UNREADABLE = "unreadable"

    @property
    def ended(self) -> bool:
        """True when nothing more will happen unless somebody resumes the run."""
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)

    @property
    def resumable(self) -> bool:
        """True when the run can go on from its last complete epoch."""
        return self in (RunStatus.STOPPED, RunStatus.FAILED, RunStatus.INTERRUPTED)


@dataclass(frozen=True)
class Progress:
    """What a worker reports, at most once a second."""

    #: What it does, in words for people: ``"training"``, ``"making augmented copies"`` ...
    phase: str
    #: The epoch under way, from 1; of what is no training (``batches`` 0), the last complete one.
    epoch: Count = 0
    #: The most epochs this run may take.
    epochs: Count = 0
    #: Batches done within the epoch.
    batch: Count = 0
    #: Batches an epoch has.
    batches: Count = 0
    #: Training speed over the last seconds, 0 while unknown.
    images_per_second: Figure = 0.0
    #: Seconds to the last possible epoch's end, None while unknown. Early stopping may end it sooner.
    eta_seconds: Figure | None = None
    #: When the sign was sent, in seconds since 1970 UTC.
    time: Time = 0.0
    #: Mean training loss over the epoch's batches so far, None while unknown.
    loss: Figure | None = None
    #: Fraction of right answers on them.
    accuracy: Fraction | None = None

    @property
    def fraction(self) -> float:
        """How much of the most epochs is done, 0 to 1; 0 before the first."""
        if not self.epochs:
            return 0.0
        # Beside the training itself, epochs are complete ones.
        under_way = 1 - self.batch / self.batches if self.batches else 0.0
        return min(1.0, max(self.epoch - under_way, 0.0) / self.epochs)


@dataclass(frozen=True)
class TrialOf:
    """What a search wrote on the run of one of its trials."""

    #: From 0; trial 0 has the settings that the search started from.
    number: Count
    #: The values of the settings that vary, by dotted name.
    params: dict[str, Value]
    #: The epoch after which the pruner ended it; None otherwise.
    pruned_at: Count | None = None


@dataclass(frozen=True)
class Run:
    """All of a run but its artifacts and its history."""

    #: 32 hexadecimal digits.
    run_id: str
    #: What people call it; text, never markup or a path.
    name: str
    #: See :class:`RunStatus`.
    status: RunStatus
    #: What it was made from, seed included.
    config: RunConfig
    #: Seconds since 1970 UTC, as the next three.
    created_at: Time
    #: When it was (last) put into the queue.
    queued_at: Time = 0.0
    #: 1 for the run that starts next, and so on; 0 for one that does not wait.
    rank: Count = 0
    #: The data set's classes; empty until the worker has loaded the data.
    class_names: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=1000)] = ()
    #: SHA-256 of the data set's content; of own pictures known from the start, else empty until then.
    dataset_fingerprint: str = ""
    #: When its (latest) worker started, None before.
    started_at: Time | None = None
    #: When it ended, None before.
    ended_at: Time | None = None
    #: What its worker reported last, None before the first.
    progress: Progress | None = None
    #: Final figures: ``best_epoch``, ``val_loss``, ``val_accuracy`` of the kept weights, ``epochs``, ``seconds``, and,
    #: once the test split was predicted, ``test_accuracy``, ``test_loss`` (all 0 to 1 or nats).
    metrics: Annotated[dict[str, Figure], AfterValidator(within_their_ranges)] = field(default_factory=dict)
    #: Validation accuracy by epoch, thinned to at most 60 points, for a spark line.
    curve: Annotated[tuple[Fraction, ...], Field(max_length=1000)] = ()
    #: What a person wrote about it.
    note: Annotated[str, Field(max_length=8000)] = ""
    #: What a person expected of it before it ended, None where nobody guessed.
    guess: Guess | None = None
    #: Why it failed, was stopped or cannot be read; empty otherwise.
    message: Annotated[str, Field(max_length=8000)] = ""
    #: The last lines of its log.
    log_tail: str = ""
    #: True once somebody has asked it to stop.
    stop_requested: bool = False
    #: Its latest worker process, None before the first.
    worker: Worker | None = None
    #: True if it is in the bin.
    deleted: bool = False
    #: The search that this run is a trial of; empty for a run of its own.
    search_id: str = ""
    #: Its number and values in that search; None for a run of its own.
    trial: TrialOf | None = None
    #: Where it comes from; empty for a run that was trained from this store.
    origin: str = ""
    #: The id that it had where it was trained, if it was brought in from there; else empty.
    imported_id: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")] = ""
    #: The id of the run that this one repeats to see whether the same comes out; empty for other runs.
    repeats: str = ""
    #: The labels that people gave it, sorted.
    tags: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=200)] = ()
    #: True if it stands first in everybody's tables; as the lab tells of it, in those of whoever asked.
    pinned: bool = False
    #: True if its owner, a student, has pinned it, so that it stands first in their own.
    pinned_by_owner: bool = False
    #: True if tables and menus leave it out unless asked.
    archived: bool = False
    #: How many test images it has predicted; None before, and for runs of older versions.
    test_images: Annotated[int, Field(ge=1, le=2**31)] | None = None
    #: True if figures of its robustness are kept with it.
    has_robustness: bool = False
    #: The id of the person who asked for it; empty for the owner of the machine.
    owner: str = ""
    #: What that person was called then; text, never markup or a path.
    owner_name: str = ""
    #: True if the teacher or the owner of the machine made it, so that the whole class may open it.
    shared: bool = True
    #: True if the teacher keeps it from the class.
    hidden: bool = False

    @property
    def resource(self) -> Resource:
        """The run as the table of rights sees it."""
        return Resource("run", self.name, self.owner, self.owner_name, self.shared, self.hidden)
