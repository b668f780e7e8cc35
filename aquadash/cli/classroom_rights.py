"""``classroom``: the rights and limits of a class, its queue, and what is hidden from it."""

from __future__ import annotations

import click

from aquadash.classroom import limits
from aquadash.cli.classroom import classroom
from aquadash.cli.output import json_option, show, table
from aquadash.errors import ConfigError
from aquadash.lab import Lab, rights
from aquadash.people import OWNER


@classroom.command("rights")
@json_option
def rights_command(as_json: bool) -> None:
    """Show who may do what."""
    rows = rights.table()

    def text() -> str:
        columns = ("student", "own", "for all", "another student's", "teacher", "stranger")
        cells = [[row["action"], *(_yes(row.get(name)) for name in columns), row["does"]] for row in rows]
        return table(cells, header=("action", *columns, "what it is"))

    show({"rights": rows}, as_json=as_json, text=text)


@classroom.command("limits")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change a limit; none takes it away.")
@json_option
def limits_command(changes: tuple[str, ...], as_json: bool) -> None:
    """Show the limits of the students, or change some: --set epochs=30 --set paused=yes."""
    wanted = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise ConfigError(f"--set {change[:80]!r} has no equals sign. Write it as NAME=VALUE: --set epochs=30.")
        wanted[name.strip()] = value
    found = limits.load()
    if wanted:
        found = limits.with_texts(found, wanted)
        Lab(OWNER).people.set_limits(found)
    values = found.to_values()

    def text() -> str:
        rows = [(name, _told(value), limits.WORDS[name]) for name, value in values.items()]
        return table(rows, header=("limit", "value", "what it is"))

    show({"limits": values}, as_json=as_json, text=text)


@classroom.command("queue")
@json_option
def queue_command(as_json: bool) -> None:
    """Show what waits, in order, and about how long still."""
    runs = Lab(OWNER).runs
    rows = []
    for run_id, waiting in runs.waiting().items():
        run = runs.get(run_id)
        rows.append(
            {
                "run_id": run_id,
                "name": run.name,
                "owner": run.owner_name,
                "place": waiting.place,
                "seconds": waiting.seconds,
                "why": waiting.why,
            }
        )

    def text() -> str:
        if not rows:
            return "Nothing waits."
        cells = [
            (row["place"], str(row["run_id"])[:8], row["name"], row["owner"], _seconds(row["seconds"])) for row in rows
        ]
        return table(cells, header=("place", "run", "name", "of", "starts in at most"))

    show({"waiting": rows}, as_json=as_json, text=text)


@classroom.command("move")
@click.argument("run")
@click.argument("place", type=int)
@json_option
def move_command(run: str, place: int, as_json: bool) -> None:
    """Give a waiting RUN another PLACE in the queue: 1 starts next. A running app follows within seconds."""
    runs = Lab(OWNER).runs
    run_id = runs.find(run).run_id
    order = runs.move(run_id, place)
    show(
        {"run_id": run_id, "place": order.index(run_id) + 1, "order": order},
        as_json=as_json,
        text=lambda: f"{runs.get(run_id).name} has place {order.index(run_id) + 1} of {len(order)}.",
    )


_of_search = click.option("--search", is_flag=True, help="It is a search: it and the runs of its trials.")


@classroom.command("hide")
@click.argument("run")
@_of_search
@json_option
def hide_command(run: str, search: bool, as_json: bool) -> None:
    """Keep a RUN from the class; its owner still sees it."""
    _hide(run, True, search=search, as_json=as_json)


@classroom.command("show")
@click.argument("run")
@_of_search
@json_option
def show_command(run: str, search: bool, as_json: bool) -> None:
    """Let the class see a RUN again that was hidden."""
    _hide(run, False, search=search, as_json=as_json)


def _hide(text: str, hidden: bool, *, search: bool, as_json: bool) -> None:
    lab = Lab(OWNER)
    if search:
        searched = lab.searches.find(text)
        key, found, name = "search_id", searched.search_id, searched.name
        lab.searches.hide(found, hidden)
    else:
        run = lab.runs.find(text)
        key, found, name = "run_id", run.run_id, run.name
        lab.runs.hide(found, hidden)
    words = f"{name} is hidden from the class." if hidden else f"The class sees {name}."
    show({key: found, "name": name, "hidden": hidden}, as_json=as_json, text=lambda: words)


def _yes(value: object) -> str:
    return "" if value is None else "yes" if value else "no"


def _told(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "none" if value is None else _yes(value) if isinstance(value, bool) else str(value)


def _seconds(value: object) -> str:
    return "unknown" if not isinstance(value, float) else "now" if not value else f"{value:,.0f} s"
