"""The command line: ``python -m aquadash``. Every page's work has a command, and both call the same function."""

import importlib
import importlib.util
import os
import sys
import traceback

import click

from aquadash import __version__, settings
from aquadash.cli.output import plain
from aquadash.errors import AquaDashError

#: The commands of each module of this room.
_MODULES = {
    "augment": ("augment", "pipelines"),
    "classroom": ("classroom",),
    "cluster": ("cluster",),
    "compare": ("compare", "reproduce"),
    "data": ("data", "home"),
    "evaluate": ("coach", "evaluate", "quiz", "walkthrough"),
    "predict": ("explain", "predict"),
    "robustness": ("label-safety", "robustness"),
    "runs": ("runs",),
    "search": ("search",),
    "train": ("model", "train"),
}
_COMMANDS = {command: module for module, commands in _MODULES.items() for command in commands}

for _wing in ("classroom", "cluster"):
    # An installation may leave out the room of a wing; its command is then missing.
    if importlib.util.find_spec(f"aquadash.{_wing}") is None:
        del _COMMANDS[_wing]


class _Commands(click.Group):
    """Imports only the command that was typed, since importing all of them takes a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"aquadash.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, prog_name="aquadash")
@click.pass_context
def cli(context: click.Context) -> None:
    """Learn image classification by experiment.

    Every command takes --json and then prints one JSON object and nothing else. RUN is a run's id, a unique beginning
    of it, or its unique name.
    """
    if settings.has_old_runs() and context.invoked_subcommand != "home":
        click.echo(
            f"{settings.home()} has runs of an earlier version, which no command shows before home upgrade.", err=True
        )


def main(command: click.Command = cli, name: str = "python -m aquadash") -> None:
    """Run a command line; an error prints one line on stderr and sets the exit status."""
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
        command_path = error.ctx.command_path if error.ctx else name
        _fail(f"{error.format_message()} See {command_path} --help.", 2)
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
