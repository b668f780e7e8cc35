"""The records of a run, as the store writes them and as pages and commands read them."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from aquadash.config import RunConfig, Value
from aquadash.errors import AquaDashError, RunError, StorageError
from aquadash.evaluation.records import Count, EpochRecord, Guess
from aquadash.evaluation.records import EpochReplay as EpochReplay
from aquadash.evaluation.records import Predictions as Predictions
from aquadash.people import Resource
from aquadash.store.job_types import RunStatus, Worker

#: A finite number; texts are refused.
Figure = Annotated[float, Field(strict=True, allow_inf_nan=False)]
#: A number from 0 to 1.
Fraction = Annotated[Figure, Field(ge=0, le=1)]
#: Seconds since 1970 UTC, up to the year 3000, which every calendar can show.
Time = Annotated[float, Field(ge=0, le=32_503_680_000, allow_inf_nan=False)]


def within_their_ranges(metrics: dict[str, float]) -> dict[str, float]:
    """Return the figures of a run by name; raise ``ValueError`` for an impossible one."""
    for name, value in metrics.items():
        counts = name.endswith(("epoch", "seconds")) or name == "epochs"
        least, most = (0, 1) if name.endswith("accuracy") else (0, 2**31) if counts else (-1e39, 1e39)
        if not least <= value <= most:
            raise ValueError(f"{name[:60]} is {value:g}; expected {least} to {most}")
    return metrics


def in_order(history: Sequence[EpochRecord], most: int | None = None) -> Sequence[EpochRecord]:
    """Return a history; raise ``ValueError`` for epochs that are impossible, out of order or more than ``most``."""
    last = 0
    for record in history:
        if record.epoch <= last:
            raise ValueError(f"epoch {record.epoch} comes after epoch {last}")
        last = record.epoch
        try:
            within_their_ranges(vars(record))
        except ValueError as error:
            raise ValueError(f"epoch {last}: {error}") from None
    if most is not None and last > most:
        raise ValueError(f"it has an epoch {last}; the run has at most {most}")
    return history


_NAME_LIMIT = 120
_TAG_LIMIT = 40
_TAG = re.compile(r"\w(?:[\w.-]*\w)?")


def clean_name(name: str | None) -> str:
    """Return at most 120 printable characters of a name, with single blanks."""
    printable = "".join(char if char.isprintable() else " " for char in name or "")
    return " ".join(printable.split())[:_NAME_LIMIT].rstrip()


def clean_tag(text: str) -> str:
    """Return a tag as it is stored: small letters, hyphens for blanks, at most 40 characters."""
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
    """Return the first problem of an error in a few words."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return ": ".join(filter(None, (".".join(str(part)[:60] for part in first["loc"]), first["msg"])))
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)[:300]


def _storable(status: RunStatus) -> RunStatus:
    if status is RunStatus.UNREADABLE:
        raise ValueError(f"a stored run cannot be {status}")
    return status


@dataclass(frozen=True)
class Progress:
    """The progress of a training, which its worker reports at most once a second."""

    #: The present step in words for people: ``"training"``, ``"making augmented copies"`` ...
    phase: str
    #: The present epoch from 1; outside of the training (``batches`` 0) the last complete one.
    epoch: Count = 0
    #: The most epochs of the run.
    epochs: Count = 0
    #: Batches done within the epoch.
    batch: Count = 0
    #: Batches of an epoch.
    batches: Count = 0
    #: Training speed over the last seconds, 0 while unknown.
    images_per_second: Figure = 0.0
    #: Seconds to the end of the last possible epoch, None while unknown. Early stopping may end the run sooner.
    eta_seconds: Figure | None = None
    #: The time of the report, in seconds since 1970 UTC.
    time: Time = 0.0
    #: Mean training loss over the epoch's batches so far, None while unknown.
    loss: Figure | None = None
    #: Fraction of right answers on them.
    accuracy: Fraction | None = None

    @property
    def fraction(self) -> float:
        """The done fraction of the most epochs, 0 to 1."""
        if not self.epochs:
            return 0.0
        # Outside of the training the epoch is complete.
        under_way = 1 - self.batch / self.batches if self.batches else 0.0
        return min(1.0, max(self.epoch - under_way, 0.0) / self.epochs)


@dataclass(frozen=True)
class TrialOf:
    """The part of a run that belongs to its search."""

    #: The number from 0; trial 0 has the settings that the search started from.
    number: Count
    #: The values of the settings that vary, by dotted name.
    params: dict[str, Value]
    #: The epoch after which the pruner ended the trial; None otherwise.
    pruned_at: Count | None = None


@dataclass(frozen=True)
class Run:
    """A run without its files and its history. Times are in seconds since 1970 UTC."""

    #: The id: 32 hexadecimal digits.
    run_id: str
    #: The name as plain text, never markup or a path.
    name: str
    status: Annotated[RunStatus, AfterValidator(_storable)]
    #: The settings, seed included.
    config: RunConfig
    created_at: Time
    #: The time of the latest submission.
    queued_at: Time = 0.0
    #: The rank in the queue: 1 for the run that starts next; 0 for one that is not queued.
    rank: Count = 0
    #: The data set's classes; empty until the worker has loaded the data.
    class_names: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=1000)] = ()
    #: SHA-256 of the data set's content; empty until the worker has loaded the data, except for own pictures.
    dataset_fingerprint: str = ""
    #: The start of the latest worker; None before the first.
    started_at: Time | None = None
    #: The time of the end; None before.
    ended_at: Time | None = None
    #: The latest report of the worker; None before the first.
    progress: Progress | None = None
    #: Final figures: ``best_epoch``, ``val_loss``, ``val_accuracy`` of the kept weights, ``epochs``, ``seconds``, and,
    #: once the test split was predicted, ``test_accuracy``, ``test_loss`` (all 0 to 1 or nats).
    metrics: Annotated[dict[str, Figure], AfterValidator(within_their_ranges)] = field(default_factory=dict)
    #: Validation accuracy by epoch, thinned to at most 60 points, for a spark line.
    curve: Annotated[tuple[Fraction, ...], Field(max_length=1000)] = ()
    #: A person's note.
    note: Annotated[str, Field(max_length=8000)] = ""
    #: A person's guess of the result before the end; None for no guess.
    guess: Guess | None = None
    #: The reason for a failure, a stop or an unreadable row; empty otherwise.
    message: Annotated[str, Field(max_length=8000)] = ""
    #: The last lines of the log.
    log_tail: str = ""
    #: True once a person has asked the run to stop.
    stop_requested: bool = False
    #: The latest worker process; None before the first.
    worker: Worker | None = None
    #: True for a run in the bin.
    deleted: bool = False
    #: The id of the search that the run is a trial of; empty for other runs.
    search_id: str = ""
    #: The number and values in that search; None for other runs.
    trial: TrialOf | None = None
    #: The origin; empty for a run that was trained in this home.
    origin: str = ""
    #: The id under which an imported run was trained; empty for other runs.
    imported_id: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")] = ""
    #: The id of the run that this one repeats; empty for other runs.
    repeats: str = ""
    #: People's tags, sorted.
    tags: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=200)] = ()
    #: True if the run is pinned for everybody. The lab sets it also for a person's own pin.
    pinned: bool = False
    #: True if a student has pinned this run of theirs for themselves.
    pinned_by_owner: bool = False
    #: True if tables and menus leave the run out by default.
    archived: bool = False
    #: The number of predicted test images; None before the end, and for runs of older versions.
    test_images: Annotated[int, Field(ge=1, le=2**31)] | None = None
    #: True if the run has a file of robustness figures.
    has_robustness: bool = False
    #: The id of the person who submitted it; empty for the owner of the machine.
    owner: str = ""
    #: That person's name at the time as plain text, never markup or a path.
    owner_name: str = ""
    #: True for a run of the teacher or the owner of the machine, which the whole class may open.
    shared: bool = True
    #: True if the teacher hides the run from the class.
    hidden: bool = False

    @property
    def resource(self) -> Resource:
        """The run for the table of rights."""
        return Resource("run", self.name, self.owner, self.owner_name, self.shared, self.hidden)


#: The images that a run was measured on: validation images are for choices, test images for the last measurement.
Images = Literal["validation", "test"]
IMAGES: tuple[Images, ...] = get_args(Images)


def image_set(run: Run, images: Images) -> str:
    """Return a key that two runs share if their images come from the same split of the same data."""
    validated = run.config.training.validation if images == "validation" else ""
    return f"{run.dataset_fingerprint}:{images}:{validated}"


#: Reads and writes the columns of runs.
_RUN = TypeAdapter(Run)


def read_run(values: Mapping[str, Any]) -> Run:
    """Check the columns of a run and return it; raise ``StorageError`` for an impossible value."""
    try:
        return _RUN.validate_python(dict(values))
    except (ValueError, AquaDashError) as error:
        raise StorageError(f"The stored data of this run cannot be read ({reason(error)}).") from None


def values_of(run: Run, names: Collection[str]) -> dict[str, Any]:
    """Return the columns of these names as plain values."""
    values: dict[str, Any] = _RUN.dump_python(run, mode="json", include=set(names))
    return values
