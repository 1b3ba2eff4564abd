"""``spanbridge review``."""

from __future__ import annotations

import getpass
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from spanbridge.cli import running
from spanbridge.cli.terminal import say, say_json

_LOOK = 0.2  # seconds between two looks whether the review is to end


@click.command(
    epilog="""\b
Examples:
  spanbridge review out.jsonl                              # and open the address that it tells
  spanbridge review out.jsonl -o corrected.jsonl           # written when the review ends
  spanbridge review out.jsonl -o tasks.json --write        # of what is in the journal, at once
  spanbridge review out.jsonl --annotator ben --journal ben.journal
  spanbridge review back.jsonl --projection out.jsonl      # for Teach, if no record tells
  spanbridge review out.jsonl --journal anna.journal --journal ben.journal --agreement
  spanbridge review out.jsonl --agreement -o differences.html

The page needs nothing from outside, and is served to this machine alone. Each action is in
OUT.jsonl.journal, on the disk, before the page says "saved"; OUT.jsonl itself stays as it is.
The button Teach projects all other rows anew by the corrections, into OUT.taught.jsonl.
Ctrl-C ends the review, and writes the result if -o names one. The keys are on the page, under ?.
"""
)
@click.argument("source", metavar="OUT.jsonl")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write all rows with their corrections: by its suffix as any format of `convert`. With "
    "--agreement: a page of the rows that two annotators have done, with what they differ in.",
)
@click.option(
    "--to",
    "output_format",
    metavar="NAME",
    help="Format of FILE, if its suffix does not tell (else jsonl).",
)
@click.option(
    "--journal",
    "journals",
    metavar="FILE",
    multiple=True,
    help="The journal, which is made if it is not there [default: OUT.jsonl.journal]. Several with "
    "--agreement.",
)
@click.option(
    "--annotator",
    metavar="NAME",
    help="Who corrects; the page lets one say so, too [default: the user's name].",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port on this machine [default: any that is free].",
)
@click.option(
    "--projection",
    metavar="FILE",
    help="The projection that the rows are from (FILE.run.json lies beside it): for Teach, if "
    "OUT.jsonl was made of it in a way that no record tells; and for -o, in which rows without a "
    "source get theirs.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@click.option("--write", is_flag=True, help="Write -o of what is in the journal, and end.")
@click.option(
    "--agreement",
    "agree",
    is_flag=True,
    help="Say how far annotators agree: F1 of spans, kappa of words.",
)
@click.option("--json", "as_json", is_flag=True, help="Print --agreement or --write as JSON.")
@click.option(
    "-q", "--quiet", is_flag=True, help="Print nothing but the address, or the agreement."
)
def command(source: str, **given: Any) -> None:
    """Correct a result on a page in the browser, the most doubtful rows first."""
    _check(given)
    if given["agree"]:
        _agreement(source, given)
        return
    from spanbridge.review.desk import Desk

    journal = given["journals"][0] if given["journals"] else None
    projection = given["projection"]
    desk = Desk(source, journal, given["output"], given["output_format"], projection)
    try:
        for note in desk.notes():
            say(note, err=True)
        if not given["write"]:
            _serve(desk, given)
        if given["output"] is not None:
            _write(desk, given)
    finally:
        desk.close()


def _check(given: dict[str, Any]) -> None:
    """Refuse options that do not go together."""
    if given["agree"] and (given["write"] or given["opens"] or given["output_format"]):
        raise click.UsageError("--agreement goes with --journal, -o PAGE.html and --json only")
    if given["projection"] is not None and given["agree"]:
        raise click.UsageError("--projection does not go with --agreement")
    if len(given["journals"]) > 1 and not given["agree"]:
        raise click.UsageError("several --journal go with --agreement only")
    if given["write"] and given["output"] is None:
        raise click.UsageError("--write needs -o FILE")
    if given["output_format"] and given["output"] is None:
        raise click.UsageError("--to needs -o FILE")
    if given["as_json"] and not (given["agree"] or given["write"]):
        raise click.UsageError("--json goes with --agreement or --write")
    running.check_streams(given["output"], given["as_json"])


def _serve(desk: Any, given: dict[str, Any]) -> None:
    from spanbridge.review.desk import ANONYMOUS, checked_name
    from spanbridge.review.server import ReviewServer

    name = given["annotator"] or _user() or ANONYMOUS
    server = ReviewServer(desk, checked_name(name), given["port"])
    with _noting_the_end() as ended:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        if not given["quiet"]:
            say(
                f"{len(desk.rows)} rows of {desk.rows.path}; journal: {desk.journal.path}", err=True
            )
            say("open this address in a browser of this machine; Ctrl-C ends the review", err=True)
        say(server.address)
        if given["opens"]:
            click.launch(server.address)
        # not an event: one that a signal sets may wait for itself, or sleep on in another thread
        while not ended:
            time.sleep(_LOOK)
        server.ended = True
        server.shutdown()
        server.server_close()


@contextmanager
def _noting_the_end() -> Iterator[list[int]]:
    """A list that gets the signals of Ctrl-C and of the session's end, which do nothing else."""
    ended: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda n, _: ended.append(n)) for number in numbers]
    try:
        yield ended
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _write(desk: Any, given: dict[str, Any]) -> None:
    done = desk.write(running.progress(given["quiet"]))
    if given["as_json"]:
        say_json(done.to_dict())
    elif not given["quiet"]:
        say(done.text(), err=True)


def _agreement(source: str, given: dict[str, Any]) -> None:
    from spanbridge.core.files import atomic_output, real_path
    from spanbridge.report.page import Document, write_page
    from spanbridge.report.verdicts import between
    from spanbridge.review.annotators import agreements, common, work_of
    from spanbridge.review.index import RowIndex
    from spanbridge.review.journal import journal_path

    journals = given["journals"] or [journal_path(source, None)]
    rows = RowIndex(source)
    work = work_of(rows, journals)
    found = agreements(rows, work)
    if given["as_json"]:
        say_json({"agreements": [one.to_dict() for one in found]})
    else:
        say("\n\n".join(f"{' and '.join(one.names)}\n{one.table()}" for one in found))
    if (output := given["output"]) is None:
        return
    if any(real_path(output) == real_path(path) for path in (source, *journals)):
        raise click.UsageError(f"{output} is read here; write the page to another file")
    documents = []
    for one in found:
        both = list(common(rows, work, *one.names))
        documents.append(
            Document(
                " / ".join(one.names),
                [pair for pair, _ in both],
                one.signature,
                [other.target for _, other in both],
                subject=one.names[0],
                reference=one.names[1],
            )
        )
    with atomic_output(output) as out:
        names = found[0].names if len(found) == 1 else ("the first", "the second")
        title = f"What {' and '.join(work)} differ in"
        write_page(out, documents, title=title, words=between(*names))


def _user() -> str | None:
    """Name of the user of this machine, if it has one."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None
