"""The records of a run, as the store keeps them and as pages and commands read them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from aquadash.config import RunConfig
from aquadash.errors import RunError
from aquadash.evaluation.records import Count as Count
from aquadash.evaluation.records import EpochRecord as EpochRecord
from aquadash.evaluation.records import EpochReplay as EpochReplay
from aquadash.evaluation.records import Guess as Guess
from aquadash.evaluation.records import Predictions as Predictions
from aquadash.jobs.types import Worker as Worker
from aquadash.people import Resource

#: A measured number: finite, and never made of a text.
Figure = Annotated[float, Field(strict=True, allow_inf_nan=False)]
#: 0 to 1.
Fraction = Annotated[Figure, Field(ge=0, le=1)]
#: Seconds since 1970 UTC, up to the year 3000, which every calendar can show.
Time = Annotated[float, Field(ge=0, le=32_503_680_000, allow_inf_nan=False)]


def within_their_ranges(metrics: dict[str, float]) -> dict[str, float]:
    """The figures of a run, by name.

    Raises:
        ValueError: One of them is outside the range that its name stands for, or no number of 32 bits.
    """
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
    """A tag as it is kept: small letters, hyphens for blanks, at most 40 characters.

    Raises:
        RunError: Other characters than letters, digits, hyphens, dots and underscores are in it, or it is too long.
    """
    cleaned = re.sub(r"\s+", "-", text.strip()).lower()
    if len(cleaned) > _TAG_LIMIT:
        raise RunError(f"The tag {text[:20]!r}... has {len(cleaned)} characters; at most {_TAG_LIMIT} fit.")
    if not _TAG.fullmatch(cleaned):
        raise RunError(
            f"{text[:_TAG_LIMIT]!r} cannot be a tag. Use letters and digits, with hyphens, dots or underscores between "
            "them: too-dark."
        )
    return cleaned


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
    """What a worker reports, at most once a second.

    Attributes:
        phase: What it does, in words for people: ``"training"``, ``"making augmented copies"`` ...
        epoch: The epoch under way, from 1; of what is no training (``batches`` 0), the last complete one.
        epochs: The most epochs this run may take.
        batch: Batches done within the epoch.
        batches: Batches an epoch has.
        images_per_second: Training speed over the last seconds, 0 while unknown.
        eta_seconds: Seconds to the last possible epoch's end, None while unknown. Early stopping may end it sooner.
        loss: Mean training loss over the epoch's batches so far, None while unknown.
        accuracy: Fraction of right answers on them.
        time: When the sign was sent, in seconds since 1970 UTC.
    """

    phase: str
    epoch: Count = 0
    epochs: Count = 0
    batch: Count = 0
    batches: Count = 0
    images_per_second: Figure = 0.0
    eta_seconds: Figure | None = None
    time: Time = 0.0
    loss: Figure | None = None
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
class Run:
    """All of a run but its artifacts and its history.

    Attributes:
        run_id: 32 hexadecimal digits.
        name: What people call it; text, never markup or a path.
        status: See :class:`RunStatus`. How it stands while it waits or trains comes from its job.
        config: What it was made from, seed included.
        class_names: The data set's classes; empty until the worker has loaded the data.
        dataset_fingerprint: SHA-256 of the data set's content; of own pictures known from the start, else empty until
            then.
        created_at: Seconds since 1970 UTC, as the next three.
        queued_at: When it was (last) put into the queue.
        rank: 1 for the run that starts next, and so on; 0 for one that does not wait.
        started_at: When its (latest) worker started, None before.
        ended_at: When it ended, None before.
        progress: What its worker reported last, None before the first.
        metrics: Final figures: ``best_epoch``, ``val_loss``, ``val_accuracy`` of the kept weights, ``epochs``,
            ``seconds``, and, once the test split was predicted, ``test_accuracy``, ``test_loss`` (all 0 to 1 or nats).
        curve: Validation accuracy by epoch, thinned to at most 60 points, for a spark line.
        note: What a person wrote about it.
        guess: What a person expected of it before it ended, None where nobody guessed.
        message: Why it failed, was stopped or cannot be read; empty otherwise.
        log_tail: The last lines of its log.
        stop_requested: True once somebody has asked it to stop.
        worker: Its latest worker process, None before the first.
        deleted: True if it is in the bin.
        search_id: The search that this run is a trial of; empty for a run of its own.
        origin: Where it comes from; empty for a run that was trained from this store.
        imported_id: The id that it had where it was trained, if it was brought in from there; else empty.
        repeats: The id of the run that this one repeats to see whether the same comes out; empty for other runs.
        tags: The labels that people gave it, sorted.
        pinned: True if it stands first in everybody's tables; as the lab tells of it, in those of whoever asked.
        pinned_by_owner: True if its owner, a student, has pinned it, so that it stands first in their own.
        archived: True if tables and menus leave it out unless asked.
        test_images: How many test images it has predicted; None before, and for runs of older versions.
        has_robustness: True if figures of its robustness are kept with it.
        owner: The id of the person who asked for it; empty for the owner of the machine.
        owner_name: What that person was called then; text, never markup or a path.
        shared: True if the teacher or the owner of the machine made it, so that the whole class may open it.
        hidden: True if the teacher keeps it from the class.
    """

    run_id: str
    name: str
    status: RunStatus
    config: RunConfig
    created_at: Time
    queued_at: Time = 0.0
    rank: Count = 0
    class_names: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=1000)] = ()
    dataset_fingerprint: str = ""
    started_at: Time | None = None
    ended_at: Time | None = None
    progress: Progress | None = None
    metrics: Annotated[dict[str, Figure], AfterValidator(within_their_ranges)] = field(default_factory=dict)
    curve: tuple[Fraction, ...] = ()
    note: str = ""
    guess: Guess | None = None
    message: str = ""
    log_tail: str = ""
    stop_requested: bool = False
    worker: Worker | None = None
    deleted: bool = False
    search_id: str = ""
    origin: str = ""
    imported_id: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")] = ""
    repeats: str = ""
    tags: tuple[str, ...] = ()
    pinned: bool = False
    pinned_by_owner: bool = False
    archived: bool = False
    test_images: Annotated[int, Field(ge=1, le=2**31)] | None = None
    has_robustness: bool = False
    owner: str = ""
    owner_name: str = ""
    shared: bool = True
    hidden: bool = False

    @property
    def resource(self) -> Resource:
        """The run as the table of rights sees it."""
        return Resource("run", self.name, self.owner, self.owner_name, self.shared, self.hidden)
