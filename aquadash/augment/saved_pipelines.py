"""The library of pipelines: the built-in ones and those that people have saved.

A saved pipeline is a JSON file in ``AQUADASH_HOME/pipelines``. Versions up to 0.7.0.dev0 moved deleted and replaced
pipelines into its folder ``earlier/``, where they stay.

``fog.owner`` beside ``fog.json`` names the owner, because people give ``fog.json`` to others. A pipeline without this
file belongs to the owner of the machine.
"""

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from aquadash import settings
from aquadash.augment.pipelines import PIPELINES
from aquadash.augment.reading import from_json
from aquadash.augment.spec import PipelineSpec
from aquadash.errors import AquaDashError, ConfigError, StorageError, UnknownNameError
from aquadash.files import replacing, write_whole
from aquadash.people import OWNER, Person, Resource

#: A pipeline's name, as configurations take it.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
MAX_TITLE_CHARACTERS = 80
#: The largest file in bytes; AquaDash writes no larger one.
_MAX_BYTES = 400_000
_MAX_OWNER_CHARACTERS = 4_000


@dataclass(frozen=True)
class Library:
    """All pipelines at one time."""

    #: By name: the built-in ones in the order of a menu, then the saved ones by title.
    pipelines: dict[str, PipelineSpec]
    #: The names of the saved ones.
    saved: tuple[str, ...]
    #: File names of saved pipelines that cannot be read, with the reason.
    damaged: dict[str, str]


def folder() -> Path:
    """Return the folder of the saved pipelines."""
    return settings.home() / "pipelines"


def library() -> Library:
    """Return all pipelines; unreadable files stay and are named in the result."""
    saved: list[PipelineSpec] = []
    damaged: dict[str, str] = {}
    for path in sorted(folder().glob("*.json")):
        try:
            saved.append(_read(path))
        except AquaDashError as error:
            damaged[path.name] = str(error)
    saved.sort(key=lambda spec: (spec.title.casefold(), spec.name))
    return Library({**PIPELINES, **{spec.name: spec for spec in saved}}, tuple(spec.name for spec in saved), damaged)


def pipeline(name: str) -> PipelineSpec:
    """Return the built-in or saved pipeline of a name."""
    if name in PIPELINES:
        return PIPELINES[name]
    if _NAME.fullmatch(name) and (path := folder() / f"{name}.json").is_file():
        return _read(path)
    raise UnknownNameError.of("pipeline", name, library().pipelines)


def name_for(title: str) -> str:
    """Return the name under which a pipeline of that title is saved: ``"Über Flip 2"`` -> ``"uber-flip-2"``."""
    title = " ".join(title.split())
    if not title or len(title) > MAX_TITLE_CHARACTERS:
        raise ConfigError(
            f"The pipeline's name has {len(title)} characters; expected 1 to {MAX_TITLE_CHARACTERS}. Give it a "
            "short name."
        )
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-")
    if not name:
        raise ConfigError(f"The pipeline's name is {title!r}; expected at least one letter from a to z or a digit.")
    if name in PIPELINES:
        raise ConfigError(f"{title!r} is the name of a built-in pipeline, which cannot be changed. Choose another.")
    return name


def save(spec: PipelineSpec, *, title: str, replace_name: str | None = None, owner: Person = OWNER) -> PipelineSpec:
    """Save a pipeline under a name made of its title; in place of ``replace_name``, it keeps that one's owner."""
    saved = replace(spec, name=name_for(title), title=" ".join(title.split()))
    from_json(saved.to_json())
    target = folder() / f"{saved.name}.json"
    replaced = None if replace_name is None else _saved_path(replace_name)
    if replaced is not None:
        owner_text = _owner_text(replaced)
    elif owner == OWNER:
        owner_text = ""
    else:
        owner_text = json.dumps({"owner": owner.person_id, "owner_name": owner.name, "shared": owner.leads})
    try:
        folder().mkdir(parents=True, exist_ok=True)
        try:
            # Another person may have saved a pipeline of this name in the meantime.
            with replacing(target, new=replaced != target) as file:
                file.write(saved.to_json().encode("utf-8"))
        except FileExistsError:
            raise ConfigError(
                f"A pipeline called {saved.title!r} already exists. Choose another name, or edit that one."
            ) from None
        if replaced == target:
            return saved  # The file of its owner stays.
        _owner_file(target).unlink(missing_ok=True)
        if owner_text:
            try:
                write_whole(_owner_file(target), owner_text)
            except OSError:
                # Without this file the pipeline would belong to the owner of the machine.
                target.unlink(missing_ok=True)
                raise
        if replaced is not None:
            _remove(replaced)
    except OSError as error:
        raise StorageError(f"The pipeline cannot be saved in {folder()} ({error.strerror}).") from error
    return saved


def delete(name: str) -> None:
    """Delete a saved pipeline for good."""
    path = _saved_path(name)
    try:
        _remove(path)
    except OSError as error:
        raise StorageError(f"The pipeline cannot be deleted in {folder()} ({error.strerror}).") from error


def version_of(spec: PipelineSpec) -> str:
    """Return a digest of a pipeline's branches, without its name and title."""
    steps = PipelineSpec("", "", "", spec.branches).to_json()
    return hashlib.sha256(steps.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Draft:
    """A pipeline that is being edited."""

    spec: PipelineSpec
    #: The name of the pipeline that it was started from.
    base: str
    #: The :func:`version_of` that pipeline at that time.
    version: str


def draft(person_id: str) -> Draft | None:
    """Return the draft of a person (an empty id for the owner of the machine); None without a readable one."""
    try:
        values = json.loads(_draft_path(person_id).read_text(encoding="utf-8"))
        return Draft(from_json(json.dumps(values["pipeline"])), str(values["base"]), str(values["version"]))
    except (OSError, ValueError, LookupError, TypeError, AquaDashError):
        return None


def keep_draft(person_id: str, draft: Draft | None) -> None:
    """Replace the one draft of a person; None deletes it."""
    path = _draft_path(person_id)
    try:
        if draft is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        values = {"base": draft.base, "version": draft.version, "pipeline": json.loads(draft.spec.to_json())}
        write_whole(path, json.dumps(values))
    except OSError as error:
        raise StorageError(f"The draft cannot be saved in {path.parent} ({error.strerror}).") from error


def _draft_path(person_id: str) -> Path:
    return settings.home() / "drafts" / f"{person_id or 'owner'}.json"


def resource_of(name: str) -> Resource:
    """Return a saved pipeline for the table of rights."""
    path = _saved_path(name)
    try:
        title = _read(path).title
    except AquaDashError:
        title = name
    return _resource(path, title)


def owner_ids() -> set[str]:
    """Return the ids of the owners of all pipelines, also in ``earlier/``; an empty id is the owner of the machine."""
    return {_resource(path, "").owner for path in folder().rglob("*.json")}


def _saved_path(name: str) -> Path:
    """Return the file of a saved pipeline; refuse any other name."""
    path = folder() / f"{name}.json"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise UnknownNameError.of("saved pipeline", name, library().saved)
    return path


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _owner_file(path).unlink(missing_ok=True)


def _read(path: Path) -> PipelineSpec:
    try:
        status = path.stat()
        return _parsed(path, status.st_size, status.st_mtime_ns, status.st_ino)
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name} is not UTF-8 text.") from None
    except OSError as error:
        raise StorageError(f"The saved pipeline {path} cannot be read ({error.strerror}).") from error


@lru_cache(1024)
def _parsed(path: Path, size: int, changed_at: int, inode: int) -> PipelineSpec:
    """Parse a file, from the cache until its size, time or inode changes."""
    if size > _MAX_BYTES:
        raise ConfigError(f"{path.name} has {size:,} bytes; expected at most {_MAX_BYTES:,}.")
    spec = from_json(path.read_text(encoding="utf-8"))
    name = path.name.split(".")[0]
    return spec if spec.name == name else replace(spec, name=name)


def _owner_file(pipeline: Path) -> Path:
    return pipeline.with_suffix(".owner")


def _owner_text(pipeline: Path) -> str:
    """Return the text of the owner's file; empty without one."""
    try:
        with _owner_file(pipeline).open(encoding="utf-8") as file:
            return file.read(_MAX_OWNER_CHARACTERS)
    except (OSError, ValueError):
        return ""


def _resource(pipeline: Path, title: str) -> Resource:
    """Return a saved pipeline for the table of rights; a damaged owner's file counts as missing."""
    try:
        values = json.loads(_owner_text(pipeline) or "{}")
        owner, owner_name = (str(values.get(key, "")) for key in ("owner", "owner_name"))
        return Resource("pipeline", title, owner, owner_name, bool(values.get("shared", True)))
    except (ValueError, AttributeError):
        return Resource("pipeline", title)
