"""``spanbridge``: the entry point. Subcommands are imported only when they are called."""

from __future__ import annotations

import os
import re
import signal
import sys
import warnings
from importlib import import_module
from types import FrameType
from typing import Any

import click

from spanbridge.__main__ import INTERRUPTED, stop
from spanbridge.cli.terminal import complain, say
from spanbridge.core.errors import NoteWarning, SpanbridgeError
from spanbridge.core.installation import install_command
from spanbridge.core.plugins import plugin_at_fault
from spanbridge.core.signature import package_version
from spanbridge.core.similar import meant, not_named
from spanbridge.core.standard import forget_input

_COMMANDS = {
    "label": "Find entities in raw text, with nothing but the install.",
    "advise": "Recommend a route for a language: direct, translate, or both.",
    "make-data": "Make training data in another language (translate-train).",
    "run": "Run any pipeline of steps, in shards that survive whatever happens.",
    "project": "Carry labels from source sentences onto their translations.",
    "choose": "Choose the rows that a person should correct first.",
    "guidelines": "Say which conventions corrected rows show, with examples.",
    "translate": "Translate sentences; pairs come out.",
    "tag": "Find spans with a trained tagger.",
    "train": "Fine-tune an encoder into a tagger (needs torch).",
    "align": "Align the words of sentence pairs.",
    "evaluate": "Score predicted spans, or word alignments, against gold ones.",
    "convert": "Write labelled rows in another tool's format.",
    "perturb": "Change labelled sentences as noise would: typos, casing, other names.",
    "compare": "Say which predictions are better by more than chance.",
    "study": "Run a grid of systems, data sets and languages, and report on it.",
    "view": "Make an HTML page that shows the result.",
    "review": "Correct a result on a page in the browser; agreement of annotators.",
    "data": "Data sets by name: list, show, get, write.",
    "demo": "Run the methods on a small sample in nine languages.",
    "doctor": "Show what is installed, and how to install what is missing.",
    "completion": "Print the script for completion by the Tab key.",
}


# click 8.1 prints the help itself
_NO_ARGUMENTS: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"spanbridge.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        if os.environ.get("_SPANBRIDGE_COMPLETE"):
            from spanbridge.cli.completion import completed

            return completed(command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(not_named("command", args[0], _COMMANDS), ctx)
        return super().resolve_command(ctx, args)

    # of KeyboardInterrupt click itself would make an empty line
    def make_context(self, *args: Any, **options: Any) -> click.Context:
        try:
            return super().make_context(*args, **options)
        except KeyboardInterrupt as error:
            raise click.Abort from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise click.Abort from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `spanbridge demo`; each command has its own --help with examples.",
)
@click.version_option(package_version(), "-V", "--version", message="spanbridge %(version)s")
def cli() -> None:
    """Carry entity spans across languages: labelled source sentences and their translations go in,
    labelled target sentences come out. No GPU, no model hub, no torch.

    \b
      spanbridge project --source en.conll --target de.txt -o de.conll
      spanbridge evaluate gold.conll de.conll
      spanbridge view de.conll -o page.html

    \b
      spanbridge label posts.txt -o posts.jsonl
    """


def main() -> None:
    """Run the command line; user errors end with exit code 2, without traceback.

    Ctrl-C ends with 130, and errors of the standard output, such as a full disk, with 1.
    """
    # SLURM and others end jobs by this signal: exit normally, so that temporary files are removed
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    warnings.showwarning = _tell
    interrupted: list[int] = []
    try:
        _watch(interrupted)
        code = _run()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done
    except BaseException:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if not interrupted:
            raise
        code = 130
    forget_input()
    if interrupted:
        complain(INTERRUPTED)
    sys.exit(code)


def _watch(seen: list[int]) -> None:
    """Let Ctrl-C raise KeyboardInterrupt, and the second one stop at once.

    Args:
        seen: an empty list, which then gets the signal: libraries turn the exception into others.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        if seen:
            stop(number)
        seen.append(number)
        raise KeyboardInterrupt

    def unraisable(told: Any) -> None:
        if seen:  # it was lost where exceptions cannot be raised
            stop()
        sys.__unraisablehook__(told)

    signal.signal(signal.SIGINT, interrupt)
    sys.unraisablehook = unraisable


def _run() -> int:
    """Run the command; returns the exit code."""
    try:
        _check_arguments()
        code = cli.main(prog_name="spanbridge", standalone_mode=False)
    except _NO_ARGUMENTS as error:
        error.show()
        return 2
    except click.ClickException as error:
        complain(_usage(error))
        return 2
    except SpanbridgeError as error:
        complain("; ".join([str(error), *getattr(error, "__notes__", ())]))
        return 2
    except (OSError, UnicodeEncodeError) as error:
        if isinstance(error, OSError) and error.filename is not None:
            complain(_reason(error))
            return 2
        # If standard output failed, Python would report it again on exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # the reader of our output has closed it
            complain(_reason(error))
        return 1
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module in ("", "spanbridge"):
            raise
        complain(f"{module} is not installed: {install_command(module)}")
        return 2
    except (Exception, SystemExit) as error:
        if (at_fault := plugin_at_fault(error)) is None:
            raise
        complain(at_fault)
        return 2
    return code if isinstance(code, int) else 0


def _check_arguments() -> None:
    """Stop before the work if an argument could not be written into the manifest or the page."""
    for argument in sys.argv[1:]:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise SpanbridgeError(f"{argument!r} is not UTF-8; rename the file") from error


def _tell(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
    """Print a warning; what concerns the user goes on one line."""
    if issubclass(category, NoteWarning):
        complain(f"note: {message}")
    else:
        say(warnings.formatwarning(message, category, *place[:2]).rstrip(), err=True)


def _usage(error: click.ClickException) -> str:
    """One line on wrong arguments: the command, the fault, and where to read on."""
    context = getattr(error, "ctx", None)
    named = [name for name in sys.argv[1:2] if name in _COMMANDS]
    command = " ".join(["spanbridge", *named]) if context is None else context.command_path
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        fault = f"no such option {name}{meant(name, error.possibilities or ())}"
    else:
        fault = " ".join(error.format_message().split()).rstrip(".")
    kind = getattr(getattr(error, "param", None), "type", None)
    if isinstance(kind, click.Choice) and (wrong := re.search("'([^']*)' is not one of", fault)):
        fault += meant(wrong[1], map(str, kind.choices))
    return f"{command}: {fault[:1].lower()}{fault[1:]} (see {command} --help)"


def _reason(error: OSError | UnicodeEncodeError) -> str:
    if isinstance(error, UnicodeEncodeError):
        character = error.object[error.start]
        return f"{error.encoding} cannot hold {character!r}; set PYTHONUTF8=1"
    place = error.filename or "standard output, or a file"
    return f"{place}: cannot be read or written ({(error.strerror or str(error)).lower()})"
