"""``data import``, ``list``, ``check``, ``delete`` and ``restore``: data sets of own pictures."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aquadash.cli.data import data
from aquadash.cli.output import StatusLine, json_option, show, table
from aquadash.people import OWNER

if TYPE_CHECKING:
    from aquadash.data.folder.drafts import Draft
    from aquadash.data.folder.types import CheckReport, LeftOut

_SIGNS = {"problem": "PROBLEM", "warning": "warning", "note": "note"}


@data.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--name", help="What to call it; the source is then folder-NAME. Default: the name of the file or folder."
)
@click.option(
    "--size", type=int, default=32, show_default=True, help="Side that the pictures are brought to, in pixels."
)
@click.option("--test-fraction", type=float, default=0.2, show_default=True, help="The share kept for the test.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Decides the split.")
@click.option("--redraw", is_flag=True, help="Draw the split although the pictures are sorted into train and test.")
@click.option("--keep-leaks", is_flag=True, help="Keep training pictures that look like one of a given test split.")
@click.option("--replace", is_flag=True, help="Take the place of a data set of that name.")
@click.option("--check", "only_check", is_flag=True, help="Say what is wrong with the pictures and keep nothing.")
@json_option
def import_command(
    path: Path,
    name: str | None,
    size: int,
    test_fraction: float,
    seed: int,
    redraw: bool,
    keep_leaks: bool,
    replace: bool,
    only_check: bool,
    as_json: bool,
) -> None:
    """Make a data set of own pictures: a ZIP or folder with a sub-folder a class, or train and test above those."""
    from aquadash.data.folder import drafts
    from aquadash.data.folder.drafts import Request, SplitChoice
    from aquadash.data.images import display_name
    from aquadash.lab import Lab

    own = Lab(OWNER).data

    title = name or path.stem or path.resolve().name
    request = Request(str(path.resolve()), display_name(path.resolve().name), size)
    draft_id = own.begin(request)
    try:
        with StatusLine() as line:
            drafts.read(draft_id, progress=line.progress)
        draft = own.draft(draft_id)
        if only_check:
            show(_checked(draft), as_json=as_json, text=lambda: _report_text(draft.report, draft.refused))
            return
        choice = SplitChoice(test_fraction, seed, use_given=not redraw, drop_leaks=not keep_leaks)
        kept = own.keep(draft, choice, title=title, replace=replace)
        values = {"source": kept.source, **asdict(kept), **_checked(draft)}
        show(
            values,
            as_json=as_json,
            text=lambda: (
                f"{kept.source}: {kept.train:,} training and {kept.test:,} test pictures of {len(kept.class_names)} "
                f"classes, {kept.size} x {kept.size} pixels\n\n{_report_text(draft.report, draft.refused)}\n\n"
                f"Train on it: python -m aquadash train --preset notebook-fixed --source {kept.source}"
            ),
        )
    finally:
        own.discard(draft_id)


@data.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """Name the data sets."""
    from aquadash.data.folder.about import all_kept
    from aquadash.lab import Lab

    sets, own = Lab(OWNER).data, {kept.source: kept for kept in all_kept().values()}
    sources = sets.sources().values()
    values = {
        "sources": [
            {
                "source": source.name,
                "title": source.title,
                "own": source.name in own,
                "here": source.key() is not None,
                **(asdict(own[source.name]) if source.name in own else {}),
            }
            for source in sources
        ],
        "deleted": sets.deleted(),
    }
    rows = [(source.name, source.title, source.summary) for source in sources]
    show(values, as_json=as_json, text=lambda: table(rows, header=("source", "title", "what it is")))


@data.command("check")
@click.argument("source")
@json_option
def check_command(source: str, as_json: bool) -> None:
    """Say what was found when a data set of own pictures was made."""
    from aquadash.lab import Lab

    kept = Lab(OWNER).data.own(source)
    report, refused = Lab(OWNER).data.report(source)
    values = {"source": kept.source, "report": report.to_dict(), "refused": [asdict(one) for one in refused]}
    show(values, as_json=as_json, text=lambda: _report_text(report, refused))


@data.command("delete")
@click.argument("source")
@json_option
def delete_command(source: str, as_json: bool) -> None:
    """Delete a data set of own pictures. Runs keep their results; `data restore` brings it back."""
    from aquadash.lab import Lab

    key = Lab(OWNER).data.delete(source)
    show(
        {"source": source, "key": key},
        as_json=as_json,
        text=lambda: f"Deleted. To bring it back: python -m aquadash data restore {key}",
    )


@data.command("restore")
@click.argument("key")
@json_option
def restore_command(key: str, as_json: bool) -> None:
    """Bring back a deleted data set of own pictures; `data delete` told the KEY, `data list --json` knows it, too."""
    from aquadash.lab import Lab

    kept = Lab(OWNER).data.restore(key)
    show(asdict(kept) | {"source": kept.source}, as_json=as_json, text=lambda: f"{kept.source} is back.")


def _checked(draft: Draft) -> dict[str, Any]:
    return {
        "pictures": len(draft.pictures),
        "report": draft.report.to_dict(),
        "refused": [asdict(one) for one in draft.refused],
    }


def _report_text(report: CheckReport, refused: tuple[LeftOut, ...]) -> str:
    counts = table(list(zip(report.class_names, report.counts, strict=True)), header=("class", "pictures"))
    lines = [f"{_SIGNS[finding.severity]}: {finding.title}. {finding.advice}" for finding in report.findings]
    lines += [f"  not read: {one.reason}" for one in refused[:20]]
    if len(refused) > 20:
        lines.append(f"  and {len(refused) - 20:,} more")
    return counts + "\n\n" + ("\n".join(lines) or "Nothing is wrong with these pictures.")
