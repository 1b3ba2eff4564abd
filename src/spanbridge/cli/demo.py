"""``spanbridge demo``."""

from __future__ import annotations

from pathlib import Path

import click

from spanbridge.cli.terminal import say


@click.command(
    epilog="""\b
The sample is small, clean and written by us: it is a demonstration, not a benchmark. For your own
files, use `spanbridge project`. `--sample` gives you the files to try commands on: XX.conll and
XX.txt, the same 64 sentences in each language with and without labels; es-posts.jsonl, 100 labelled
posts in Spanish.
"""
)
@click.option(
    "-o",
    "--output",
    default="demo-output",
    show_default=True,
    metavar="FOLDER",
    help="Folder for the page and the projected pairs.",
)
@click.option("--sample", is_flag=True, help="Only write the sample's files into the folder.")
def command(output: str, sample: bool) -> None:
    """Project 64 labelled English sentences onto 8 languages and print F1 for each.

    Every aligner and every method runs, offline, from files of this package. The HTML page shows
    each sentence with its links and spans. Then the embedded tagger finds the names in a line of
    raw text in each language.
    """
    from spanbridge.core.errors import SpanbridgeError
    from spanbridge.core.files import check_named, real_path, reason
    from spanbridge.demo.sample import entities, run, table, write_sample

    check_named(output, "folder")
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise SpanbridgeError(f"{folder} cannot be made: {reason(error)}") from error
    if sample:
        names = write_sample(folder)
        say(f"{len(names)} files written to {folder}: {', '.join(names)}")
        return
    scores, page = run(folder, lambda text: say(text, err=True))
    say("Entity F1 against hand-made labels, English labels projected:\n")
    for line in table(scores):
        say(line)
    say("Raw text, read by the embedded tagger (`spanbridge label posts.txt -o posts.jsonl`):\n")
    for line in entities():
        say(line)
    say(f"\nOpen the page in a browser: {real_path(page)}")
