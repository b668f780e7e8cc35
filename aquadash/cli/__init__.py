"""The command line: ``python -m aquadash``. Every page's work has a command, and both call the same function."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback

import click

from aquadash import __version__, settings
from aquadash.cli import export  # noqa: F401 - it adds commands to a group
from aquadash.cli.augment import augment_command, pipelines
from aquadash.cli.compare import compare, reproduce
from aquadash.cli.data import data
from aquadash.cli.evaluate import coach, evaluate, walkthrough
from aquadash.cli.home import home
from aquadash.cli.model import model
from aquadash.cli.output import plain
from aquadash.cli.predict import explain, predict
from aquadash.cli.robustness import label_safety, robustness
from aquadash.cli.runs import runs
from aquadash.cli.search import search
from aquadash.cli.train import train
from aquadash.errors import AquaDashError

#: The commands of the two wings, each in the module of its name, and the package without which there are none.
_WINGS = {"classroom": "aquadash.classroom", "cluster": "aquadash.cluster"}


class _WithWings(click.Group):
    """Loads the commands of a wing when somebody asks for them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *filter(_is_there, _WINGS)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if _is_there(cmd_name) and cmd_name not in self.commands:
            self.add_command(getattr(importlib.import_module(f"aquadash.cli.{cmd_name}"), cmd_name))
        return super().get_command(ctx, cmd_name)


def _is_there(wing: str) -> bool:
    return wing in _WINGS and importlib.util.find_spec(_WINGS[wing]) is not None


@click.group(cls=_WithWings, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aquadash")
@click.pass_context
def cli(context: click.Context) -> None:
    """Learn image classification by experiment.

    Every command takes --json and then prints one JSON object and nothing else. RUN is a run's id, a unique beginning
    of it, or its unique name.
    """
    if settings.has_old_runs() and context.invoked_subcommand != home.name:
        click.echo(
            f"{settings.home()} has runs of an earlier version, which no command shows before home upgrade.", err=True
        )


for command in (
    data,
    augment_command,
    pipelines,
    model,
    train,
    search,
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
    home,
):
    cli.add_command(command)


def main(command: click.Command = cli, name: str = "python -m aquadash") -> None:
    """Run a command line: exit status 0, or another and on stderr one line, or the help where nothing was asked."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        # Commands return nothing; click returns an exit status here for --help and the like.
        status = command.main(prog_name=name, standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _fail("Interrupted.", 130)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
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
        if settings.debug():
            traceback.print_exc()
        _fail(f"Unexpected {type(error).__name__}: {error}. Set AQUADASH_DEBUG=1 to see where it came from.", 70)


def _fail(message: str, status: int) -> None:
    click.echo("Error: " + plain(" ".join(message.split())), err=True)
    sys.exit(status)
