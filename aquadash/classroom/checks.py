"""What the limits of a class refuse, asked where something is made or taken in."""

from __future__ import annotations

from aquadash import people
from aquadash.classroom.limits import ClassLimits, in_force
from aquadash.errors import NotAllowedError
from aquadash.people import Person, Role


def of_person(person: Person | None = None) -> ClassLimits | None:
    """The limits that hold for somebody, or for whoever acts in this thread; None for those who have none."""
    return in_force() if (person or people.current()).role is Role.STUDENT else None


def within_epochs(epochs: int) -> int:
    """So many epochs, or as many as a run of whoever acts may have."""
    limits = of_person()
    return epochs if limits is None or limits.epochs is None else min(epochs, limits.epochs)


def check_training(epochs: int, *, waiting: int, more: int = 1) -> None:
    """Refuse a training beyond the limits of whoever acts.

    Args:
        epochs: The most that it trains for.
        waiting: How many runs of theirs wait already.
        more: How many would be added.

    Raises:
        NotAllowedError: With the limit and what to do.
    """
    limits = of_person()
    if limits is None:
        return
    if limits.epochs is not None and epochs > limits.epochs:
        raise NotAllowedError(
            f"This training has {epochs} epochs; in this class a run may have {limits.epochs} at most. Choose fewer "
            "epochs, or ask your teacher for more."
        )
    check_waiting(waiting, more=more)


def check_waiting(waiting: int, *, more: int = 1) -> None:
    """Refuse more waiting runs than the limits of whoever acts allow; arguments and error as above."""
    limits = of_person()
    if limits is None or limits.waiting_runs is None or waiting + more <= limits.waiting_runs:
        return
    if not limits.waiting_runs:
        raise NotAllowedError("The teacher lets nobody start a training just now. Ask your teacher.")
    once = f", and this would add {more}" if more > 1 else ""
    raise NotAllowedError(
        f"You have {waiting} {'run' if waiting == 1 else 'runs'} waiting{once}; at most {limits.waiting_runs} may wait "
        "at the same time. Wait until one has started, or stop one that you no longer want."
    )


def check_upload(size: int) -> None:
    """Refuse an upload that is larger than whoever acts may send.

    Args:
        size: In bytes.

    Raises:
        NotAllowedError: With the limit and what to do.
    """
    limits = of_person()
    if limits is None or limits.upload_megabytes is None or size <= limits.upload_megabytes * 1_000_000:
        return
    if not limits.upload_megabytes:
        raise NotAllowedError("Uploads are switched off in this class. Ask your teacher.")
    raise NotAllowedError(
        f"The upload has {size / 1e6:.1f} MB; in this class at most {limits.upload_megabytes} MB are taken. Send fewer "
        "or smaller pictures, or ask your teacher for more."
    )


def check_kept_uploads(size: int, *, own: int, together: int) -> None:
    """Refuse an upload that would be too much with those that the server keeps already.

    Args:
        size: Of the upload, in bytes.
        own: Bytes that it keeps of whoever acts.
        together: Bytes that it keeps of all.

    Raises:
        NotAllowedError: With the limit and what to do.
    """
    limits = of_person()
    if limits is None:
        return
    for have, most, whose in (
        (own, limits.kept_upload_megabytes, "your open pages"),
        (together, limits.class_upload_megabytes, "the open pages of the class"),
    ):
        if most is not None and have + size > most * 1_000_000:
            raise NotAllowedError(
                f"The upload has {size / 1e6:.1f} MB, and {whose} hold {have / 1e6:.1f} MB already; in this class that "
                f"may be {most} MB together. Take files that nobody needs any more off the pages, or close those pages "
                "and wait two minutes, or ask your teacher for more."
            )


def check_number(what: str, have: int, *, person: Person | None = None) -> None:
    """Refuse to keep one more of something.

    Args:
        what: ``"data_sets"`` or ``"pipelines"``.
        have: How many of them they have already.
        person: Who; None for whoever acts in this thread.

    Raises:
        NotAllowedError: With the limit and what to do.
    """
    limits = of_person(person)
    most = None if limits is None else getattr(limits, what)
    if most is not None and have >= most:
        raise NotAllowedError(
            f"You keep {have} {what.replace('_', ' ')} already; in this class one may keep {most}. Delete one "
            "first, or ask your teacher for more."
        )


def check_search() -> None:
    """Refuse a search where whoever acts may start none.

    Raises:
        NotAllowedError: Searches are the teacher's in this class.
    """
    limits = of_person()
    if limits is not None and not limits.searches:
        raise NotAllowedError(
            "Searches take the computer for long, so in this class only the teacher starts them. Ask your teacher."
        )
