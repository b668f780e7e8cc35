"""``classroom``: a class that shares one AquaDash: how it is opened and joined, its board, limits and queue."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import click

from aquadash import settings
from aquadash.classroom import codes, limits
from aquadash.classroom.invitation import addresses, join_address, qr_text, rejoin_address
from aquadash.classroom.sessions import Member
from aquadash.cli.output import Group, Table, lab, percent, print_result
from aquadash.data import SOURCES
from aquadash.errors import ConfigError, UnknownNameError
from aquadash.lab import rights
from aquadash.people import Role


@click.group(cls=Group)
def classroom() -> None:
    """A class: what each may do, its limits, its queue."""


@classroom.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="Where the app listens.")
@click.option(
    "--address", default="0.0.0.0", show_default=True,
    help="The network address that the app listens on; 0.0.0.0 is all of this machine's.",
)  # fmt: skip
def serve(port: int, address: str) -> None:
    """Serve AquaDash to the local network, for a class that joins with codes, until Ctrl-C."""
    _check_address(address, port)
    bases = _bases(address, port)
    made = lab.people.codes()
    values = {
        "addresses": bases,
        "student_code": made.student,
        "teacher_code": made.teacher,
    }
    as_json = print_result(values, _poster(bases, made))
    environment = {**os.environ, **settings.whole_paths(), "AQUADASH_CLASSROOM": "1"}
    command = [
        sys.executable, "-m", "streamlit", "run", str(settings.PROJECT_ROOT / "app.py"),
        "--server.address", address, "--server.port", str(port),
        # Without it Streamlit asks the internet for this machine's address.
        "--browser.serverAddress", urlsplit(bases[0]).hostname or "localhost",
    ]  # fmt: skip
    # What the app prints goes to stderr where stdout is for JSON alone.
    process = subprocess.Popen(
        command, cwd=settings.PROJECT_ROOT, env=environment, stdin=subprocess.DEVNULL,
        stdout=sys.stderr if as_json else None,
    )  # fmt: skip
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        status = process.wait()
    except (KeyboardInterrupt, SystemExit):
        status = 0
    finally:
        # Trainings outlive the app, as always.
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        signal.signal(signal.SIGTERM, before)
    if status:
        raise click.ClickException(
            f"The app ended with status {status}; what it printed says why. Is port {port} free?"
        )


def _check_address(address: str, port: int) -> None:
    """Refuse an address on which this machine cannot listen; the app itself would end with a traceback."""
    try:
        family, *_, name = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family) as probe:
            # Or a port that was left a moment ago would not be free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(name)
    except OSError as error:
        raise ConfigError(
            f"The app cannot listen on {address}, port {port} ({error.strerror or error}). Give an address of this "
            "machine to --address, or 0.0.0.0 for all of them, and a free port to --port."
        ) from None


@classroom.command("codes")
def codes_command() -> None:
    """Show the codes that students and teachers join with; they are made where there are none."""
    _print_codes(lab.people.codes())


@classroom.command()
@click.option("--student", "only_student", is_flag=True, help="Only the students' code.")
@click.option("--teacher", "only_teacher", is_flag=True, help="Only the teacher's code.")
def renew(only_student: bool, only_teacher: bool) -> None:
    """Make new codes. Who has joined stays in; the old codes let nobody in any more."""
    wanted = [Role.STUDENT] * only_student + [Role.TEACHER] * only_teacher
    _print_codes(lab.people.renew_codes(*wanted))


@classroom.command("people")
@click.option("--remove", metavar="NAME", help="End this person's session everywhere; their runs stay.")
@click.option("--rejoin", metavar="NAME", help="Make a link by which this person gets that name back, once.")
@click.option("--clear", is_flag=True, help="Forget students who made nothing and are not here: their names are free.")
def people_command(remove: str | None, rejoin: str | None, clear: bool) -> None:
    """List who has joined, end somebody's session, or clear names that nobody uses."""
    values: dict[str, Any] = {}
    if remove is not None:
        lab.people.remove(_named(lab.people.all(), remove).person.person_id)
    if rejoin is not None:
        # Where the app listens is known here only if a setting says so.
        code = lab.people.rejoin_code(_named(lab.people.all(), rejoin).person.person_id)
        values["rejoin_link"] = rejoin_address(settings.public_address() or "", code)
    if clear:
        values["cleared"] = lab.people.clear()
    found = lab.people.all()
    values["people"] = [
        {
            "person_id": member.person.person_id, "name": member.person.name, "role": member.person.role.value,
            "joined_at": member.joined_at, "seen_at": member.seen_at, "sessions": member.sessions,
        }
        for member in found
    ]  # fmt: skip

    rows = [[member.person.name, member.person.role.value, member.sessions] for member in found]
    text: list[str | Table] = [Table(rows, header=("name", "role", "sessions")) if rows else "Nobody has joined yet."]
    if clear:
        text.append("Unused names cleared: " + (", ".join(values["cleared"]) or "none"))
    if link := values.get("rejoin_link"):
        text.append(f"To rejoin, open this at the class's address: {link}")
    print_result(values, *text)


@classroom.command()
@click.option("--source", help="The data set; by default the one that most students have trained on.")
@click.option(
    "--reveal/--cover", "shown", default=None,
    help="Rank by the test results, at the end, or by validation accuracy again.",
)  # fmt: skip
def board(source: str | None, shown: bool | None) -> None:
    """Show each student's best run, and places that luck does not decide."""
    found = lab.runs.board_sources()
    if source is not None and source not in (*found, *SOURCES):
        raise UnknownNameError.of("data set with runs of students", source, found)
    chosen = source or (found[0] if found else "synthetic")
    if shown is not None:
        lab.people.set_limits(limits.load().model_copy(update={"test_results_hidden": not shown}))

    made = lab.runs.board(chosen)
    values = {
        "source": chosen,
        "measured_on": made.measured_on,
        "uncounted": made.uncounted,
        "entries": [
            {
                "place": entry.rank, "name": entry.name, "person_id": entry.person_id, "run_id": entry.run.run_id,
                "accuracy": entry.accuracy, "accuracy_ci95": list(entry.interval), "images": entry.images,
                "runs": entry.tries,
            }
            for entry in made.entries
        ],
    }  # fmt: skip

    rows = [
        [entry.rank, entry.name, percent(entry.accuracy), " to ".join(map(percent, entry.interval)),
         entry.run.name, entry.tries]
        for entry in made.entries
    ]  # fmt: skip
    header = ("place", "student", f"{made.measured_on} accuracy", "95 % interval", "run", "runs")
    print_result(values, Table(rows, header=header) if rows else "Nobody is on the board yet.")


@classroom.command("project")
@click.argument("page")
@click.argument("address", nargs=-1, metavar="[NAME=VALUE]...")
def project(page: str, address: tuple[str, ...]) -> None:
    """Show a page on the projectors: project evaluate run=ID present=1."""
    shown = lab.people.show(page, _named_values(address, "run=ID"))
    print_result({"page": shown.page, "query": shown.query}, f"The projectors show {shown.page}.")


@classroom.command("rights")
def rights_command() -> None:
    """Show who may do what."""
    rows = rights.table()
    columns = ("student", "own", "for all", "another student's", "teacher", "stranger")
    cells = [[row["action"], *(_yes(row.get(name)) for name in columns), row["does"]] for row in rows]
    print_result({"rights": rows}, Table(cells, header=("action", *columns, "what it is")))


@classroom.command("limits")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change a limit; none takes it away.")
def limits_command(changes: tuple[str, ...]) -> None:
    """Show the limits of the students, or change some: --set epochs=30 --set paused=yes."""
    found = limits.load()
    if changes:
        found = limits.with_texts(found, _named_values(changes, "--set epochs=30"))
        lab.people.set_limits(found)
    values = found.to_values()
    rows = [(name, _told(value), limits.WORDS[name]) for name, value in values.items()]
    print_result({"limits": values}, Table(rows, header=("limit", "value", "what it is")))


@classroom.command("queue")
def queue_command() -> None:
    """Show what waits, in order, and about how long still."""
    rows = []
    for run_id, waiting in lab.runs.waiting().items():
        run = lab.runs.get(run_id)
        rows.append(
            {
                "run_id": run_id,
                "name": run.name,
                "owner": run.owner_name,
                "place": waiting.rank,
                "seconds": waiting.seconds,
                "why": waiting.why,
            }
        )
    cells = [
        (row["place"], str(row["run_id"])[:8], row["name"], row["owner"], _seconds(row["seconds"])) for row in rows
    ]
    print_result(
        {"waiting": rows},
        Table(cells, header=("place", "run", "name", "of", "starts in at most")) if rows else "Nothing waits.",
        *dict.fromkeys(str(row["why"]) for row in rows),
    )


@classroom.command("move")
@click.argument("run")
@click.argument("place", type=int)
def move_command(run: str, place: int) -> None:
    """Give a waiting RUN another PLACE in the queue: 1 starts next. A running app follows within seconds."""
    run_id = lab.runs.find(run).run_id
    order = lab.runs.move(run_id, place)
    print_result(
        {"run_id": run_id, "place": order.index(run_id) + 1, "order": order},
        f"{lab.runs.get(run_id).name} has place {order.index(run_id) + 1} of {len(order)}.",
    )


_of_search = click.option("--search", is_flag=True, help="It is a search: it and the runs of its trials.")


@classroom.command("hide")
@click.argument("run")
@_of_search
def hide_command(run: str, search: bool) -> None:
    """Keep a RUN from the class; its owner still sees it."""
    _hide(run, True, search=search)


@classroom.command("show")
@click.argument("run")
@_of_search
def show_command(run: str, search: bool) -> None:
    """Let the class see a RUN again that was hidden."""
    _hide(run, False, search=search)


def _hide(text: str, hidden: bool, *, search: bool) -> None:
    if search:
        searched = lab.searches.find(text)
        key, found, name = "search_id", searched.search_id, searched.name
        lab.searches.hide(found, hidden)
    else:
        run = lab.runs.find(text)
        key, found, name = "run_id", run.run_id, run.name
        lab.runs.hide(found, hidden)
    words = f"{name} is hidden from the class." if hidden else f"The class sees {name}."
    print_result({key: found, "name": name, "hidden": hidden}, words)


def _named_values(texts: tuple[str, ...], example: str) -> dict[str, str]:
    """What was typed as ``NAME=VALUE`` each."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ConfigError(f"{text[:80]!r} has no equals sign. Write it as NAME=VALUE: {example}.")
        found[name.strip()] = value
    return found


def _named(members: list[Member], name: str) -> Member:
    found = [member for member in members if name in (member.person.name, member.person.person_id)]
    if not found:
        raise UnknownNameError.of("person", name, [member.person.name for member in members])
    return found[0]


def _print_codes(made: codes.Codes) -> None:
    print_result(
        {"student_code": made.student, "teacher_code": made.teacher},
        f"Students: {codes.spaced(made.student)}",
        f"Teacher:  {codes.spaced(made.teacher)}",
    )


def _bases(address: str, port: int) -> list[str]:
    """Where the class finds the app."""
    if (said := settings.public_address()) is not None:
        return [said]
    hosts = addresses() if address in ("0.0.0.0", "::") else [address]
    return [f"http://{f'[{host}]' if ':' in host else host}:{port}" for host in hosts or ["localhost"]]


def _poster(bases: list[str], made: codes.Codes) -> str:
    return "\n".join(
        [
            "A class in AquaDash. Ctrl-C ends it.",
            "",
            qr_text(join_address(bases[0], made.student)),
            *(f"  Open         {base}" for base in bases),
            f"  Students     {codes.spaced(made.student)}",
            f"  The teacher  {codes.spaced(made.teacher)}   (may do everything: keep it from the class)",
            "",
        ]
    )


def _yes(value: object) -> str:
    return "" if value is None else "yes" if value else "no"


def _told(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "none" if value is None else _yes(value) if isinstance(value, bool) else str(value)


def _seconds(value: object) -> str:
    return "unknown" if not isinstance(value, float) else "now" if not value else f"{value:,.0f} s"
