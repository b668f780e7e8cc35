"""``classroom serve``, ``codes``, ``renew`` and ``people``: a class is opened and joined."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import click

from aquadash import settings
from aquadash.classroom import codes
from aquadash.classroom.invitation import addresses, join_address, qr_text, rejoin_address
from aquadash.classroom.member_types import Member
from aquadash.cli.classroom import classroom
from aquadash.cli.output import json_option, show, table
from aquadash.errors import UnknownNameError
from aquadash.lab import Lab
from aquadash.people import OWNER, Role

#: Seconds that the app has for ending by itself.
_PATIENCE = 20


@classroom.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="Where the app listens.")
@click.option(
    "--address", default="0.0.0.0", show_default=True,
    help="The network address that the app listens on; 0.0.0.0 is all of this machine's.",
)  # fmt: skip
@json_option
def serve(port: int, address: str, as_json: bool) -> None:
    """Serve AquaDash to the local network, for a class that joins with codes or accounts, until Ctrl-C."""
    bases = _bases(address, port)
    made = None if _with_accounts() else Lab(OWNER).people.codes()
    values = {
        "addresses": bases,
        "student_code": made.student if made else None,
        "teacher_code": made.teacher if made else None,
    }
    click.echo(json.dumps(values) if as_json else _poster(bases, made))
    environment = {**os.environ, "AQUADASH_CLASSROOM": "1"}
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
    before = signal.signal(signal.SIGTERM, _ended)
    try:
        status = process.wait()
    except (KeyboardInterrupt, SystemExit):
        status = 0
    finally:
        _end(process)
        signal.signal(signal.SIGTERM, before)
    if status:
        raise click.ClickException(
            f"The app ended with status {status}; what it printed says why. Is port {port} free?"
        )


@classroom.command("codes")
@json_option
def codes_command(as_json: bool) -> None:
    """Show the codes that students and teachers join with; they are made where there are none."""
    _show_codes(Lab(OWNER).people.codes(), as_json=as_json)


@classroom.command()
@click.option("--student", "only_student", is_flag=True, help="Only the students' code.")
@click.option("--teacher", "only_teacher", is_flag=True, help="Only the teacher's code.")
@json_option
def renew(only_student: bool, only_teacher: bool, as_json: bool) -> None:
    """Make new codes. Who has joined stays in; the old codes let nobody in any more."""
    wanted = [Role.STUDENT] * only_student + [Role.TEACHER] * only_teacher
    _show_codes(Lab(OWNER).people.renew_codes(*wanted), as_json=as_json)


@classroom.command("people")
@click.option("--remove", metavar="NAME", help="End this person's session everywhere; their runs stay.")
@click.option("--rejoin", metavar="NAME", help="Make a link by which this person gets that name back, once.")
@click.option("--clear", is_flag=True, help="Forget students who made nothing and are not here: their names are free.")
@json_option
def people_command(remove: str | None, rejoin: str | None, clear: bool, as_json: bool) -> None:
    """List who has joined, end somebody's session, or clear names that nobody uses."""
    members = Lab(OWNER).people
    values: dict[str, Any] = {}
    if remove is not None:
        members.remove(_named(members.all(), remove).person.person_id)
    if rejoin is not None:
        # Where the app listens is known here only if a setting says so.
        code = members.rejoin_code(_named(members.all(), rejoin).person.person_id)
        values["rejoin_link"] = rejoin_address(settings.public_address() or "", code)
    if clear:
        values["cleared"] = members.clear()
    found = members.all()
    values["people"] = [
        {
            "person_id": member.person.person_id, "name": member.person.name, "role": member.person.role.value,
            "joined_at": member.joined_at, "seen_at": member.seen_at, "sessions": member.sessions,
        }
        for member in found
    ]  # fmt: skip

    def text() -> str:
        rows = [[member.person.name, member.person.role.value, member.sessions] for member in found]
        lines = table(rows, header=("name", "role", "sessions")) if rows else "Nobody has joined yet."
        if clear:
            lines += "\nUnused names cleared: " + (", ".join(values["cleared"]) or "none")
        link = values.get("rejoin_link")
        return f"{lines}\nTo rejoin, open this at the class's address: {link}" if link else lines

    show(values, as_json=as_json, text=text)


def _named(members: list[Member], name: str) -> Member:
    found = [member for member in members if name in (member.person.name, member.person.person_id)]
    if not found:
        raise UnknownNameError.of("person", name, [member.person.name for member in members])
    return found[0]


def _show_codes(made: codes.Codes, *, as_json: bool) -> None:
    values = {"student_code": made.student, "teacher_code": made.teacher}
    show(
        values,
        as_json=as_json,
        text=lambda: f"Students: {codes.spaced(made.student)}\nTeacher:  {codes.spaced(made.teacher)}",
    )


def _bases(address: str, port: int) -> list[str]:
    """Where the class finds the app."""
    if (said := settings.public_address()) is not None:
        return [said]
    hosts = addresses() if address in ("0.0.0.0", "::") else [address]
    return [f"http://{f'[{host}]' if ':' in host else host}:{port}" for host in hosts or ["localhost"]]


def _with_accounts() -> bool:
    """Whether Streamlit, started from here, will find an ``[auth]`` section in its secrets: then there are no codes."""
    for folder in (Path.home(), settings.PROJECT_ROOT):
        try:
            if tomllib.loads((folder / ".streamlit" / "secrets.toml").read_text(encoding="utf-8")).get("auth"):
                return True
        except (OSError, ValueError):
            continue
    return False


def _poster(bases: list[str], made: codes.Codes | None) -> str:
    lines = [
        "A class in AquaDash. Ctrl-C ends it.",
        "",
        qr_text(join_address(bases[0], made.student if made else None)),
    ]
    lines += [f"  Open         {base}" for base in bases]
    if made is None:
        lines.append("  People log in with the accounts of .streamlit/secrets.toml")
    else:
        lines.append(f"  Students     {codes.spaced(made.student)}")
        lines.append(f"  The teacher  {codes.spaced(made.teacher)}   (may do everything: keep it from the class)")
    return "\n".join([*lines, ""])


def _ended(*_: object) -> NoReturn:
    sys.exit(0)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the app and wait until it has; trainings outlive it, as always."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
