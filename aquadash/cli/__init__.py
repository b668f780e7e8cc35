"""The command line: ``python -m aquadash``. Every page's work has a command, and both call the same function."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback

import click

from aquadash import __version__
from aquadash.cli import own_data  # noqa: F401 - it adds commands to a group
from aquadash.cli.coach import coach
from aquadash.cli.compare import compare
from aquadash.cli.data import augment_command
from aquadash.cli.duplicates import data
from aquadash.cli.explain import explain
from aquadash.cli.label_safety import label_safety
from aquadash.cli.model import model
from aquadash.cli.pair import pair
from aquadash.cli.pipelines import pipelines
from aquadash.cli.reproduce import reproduce
from aquadash.cli.results import evaluate, predict
from aquadash.cli.robustness import robustness
from aquadash.cli.run_table import runs
from aquadash.cli.search import search
from aquadash.cli.take_home import convert_run, export_run, import_run
from aquadash.cli.train import train
from aquadash.cli.walkthrough import walkthrough
from aquadash.errors import AquaDashError

#: The commands of the two wings: the package without which there are none, and the modules that they are in.
_WINGS = {
    "classroom": ("aquadash.classroom", ("classroom_rights", "classroom_board", "classroom_people")),
    "cluster": ("aquadash.engine.cluster", ("cluster",)),
}


class _WithWings(click.Group):
    """Loads the commands of a wing when somebody asks for them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(name for name, (package, _) in _WINGS.items() if _is(package))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        package, modules = _WINGS.get(cmd_name, ("", ()))
        if modules and _is(package) and cmd_name not in self.commands:
            for name in modules:
                module = importlib.import_module(f"aquadash.cli.{name}")
            self.add_command(getattr(module, cmd_name))
        return super().get_command(ctx, cmd_name)


def _is(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


@click.group(cls=_WithWings, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aquadash")
def cli() -> None:
    """Learn image classification by experiment.

    Every command takes --json and then prints one JSON object and nothing else. RUN is a run's id, a unique beginning
    of it, or its unique name.
    """


for command in (
    data,
    augment_command,
    pipelines,
    model,
    train,
    search,
    pair,
    runs,
    evaluate,
    explain,
    robustness,
    label_safety,
    coach,
    predict,
    compare,
    reproduce,
    walkthrough,
):
    cli.add_command(command)
for command in (export_run, import_run, convert_run):
    runs.add_command(command)


def main(command: click.Command = cli, name: str = "python -m aquadash") -> None:
    """Run a command line: exit status 0, or one line on stderr and another status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        # Commands return nothing; click returns an exit status here for --help and the like.
        status = command.main(prog_name=name, standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.Abort:
        _fail("Interrupted.", 130)
    except KeyboardInterrupt:
        _fail("Interrupted.", 130)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else name
        _fail(f"{error.format_message()} See {where} --help.", 2)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code)
    except AquaDashError as error:
        _fail(str(error), 1)
    except OSError as error:
        _fail(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 1)
    except Exception as error:
        if os.environ.get("AQUADASH_DEBUG"):
            traceback.print_exc()
        _fail(f"Unexpected {type(error).__name__}: {error}. Set AQUADASH_DEBUG=1 to see where it came from.", 70)


def _fail(message: str, status: int) -> None:
    click.echo("Error: " + " ".join(message.split()), err=True)
    sys.exit(status)
