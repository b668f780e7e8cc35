"""``classroom``: serve a class that shares one AquaDash, its codes and limits."""

import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import click

from aquadash import settings
from aquadash.classroom import limits
from aquadash.classroom.invitation import addresses, join_address, qr_text
from aquadash.cli.describe import describe
from aquadash.cli.output import Group, Shown, lab, print_result
from aquadash.config import parse_assignments

classroom = Group("classroom", help="A class: serve it, its codes and its limits. The Class page has everything else.")


@classroom.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, help="The port of the app.")
@click.option("--address", default="0.0.0.0", help="The address to listen on; 0.0.0.0 is all of this machine's.")
def serve(port: int, address: str) -> None:
    """Serve AquaDash to the local network, for a class that joins with codes, until Ctrl-C."""
    bases = _bases(address, port)
    codes = _codes()
    values = {"addresses": bases, **codes}
    caution = "The teacher's code gives full control: keep it from the class. Ctrl-C ends the app."
    as_json = print_result(values, qr_text(join_address(bases[0], codes["student_code"])), *map(Shown, values), caution)
    # Without a name of the server, Streamlit asks the internet for this machine's address.
    server = {"server.address": address, "server.port": port, "browser.serverAddress": urlsplit(bases[0]).hostname}
    options = [f"--{name}={value or 'localhost'}" for name, value in server.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(settings.PROJECT_ROOT / "app.py"), *options],
        cwd=settings.PROJECT_ROOT,
        env={**os.environ, **settings.whole_paths(), "AQUADASH_CLASSROOM": "1"},
        stdin=subprocess.DEVNULL,
        # With --json, stdout holds the JSON object alone, so Streamlit's lines go to stderr.
        stdout=sys.stderr if as_json else None,
    )
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        status = process.wait()
    if status not in (0, -signal.SIGTERM, -signal.SIGINT):
        raise click.ClickException(
            f"The app ended with status {status}; its lines above say why. Is {address} this machine's, and is "
            f"port {port} free?"
        )


@classroom.command("codes")
def codes_command() -> None:
    """Show the codes that students and teachers join with; they are made where there are none."""
    print_result(_codes())


def _codes() -> dict[str, str]:
    codes = lab.people.codes()
    return {"student_code": codes.student, "teacher_code": codes.teacher}


@classroom.command("limits")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change a limit; NAME=none removes it.")
def limits_command(changes: tuple[str, ...]) -> None:
    """Show the limits of the students, or change some: --set epochs=30 --set paused=yes."""
    current = limits.load()
    if changes:
        current = limits.with_texts(current, parse_assignments(changes, example="epochs=30"))
        lab.people.set_limits(current)
    values = current.to_values()
    rows = [
        {"limit": name, "value": "none" if value in (None, []) else value, "what it is": limits.WORDS[name]}
        for name, value in values.items()
    ]
    print_result({"limits": values}, describe({"limits": rows}, "limits"))


def _bases(address: str, port: int) -> list[str]:
    """Return the addresses at which the class finds the app."""
    if (public := settings.public_address()) is not None:
        return [public]
    hosts = addresses() if address in ("0.0.0.0", "::") else [address]
    return [f"http://{f'[{host}]' if ':' in host else host}:{port}" for host in hosts or ["localhost"]]
