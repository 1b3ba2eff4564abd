"""What the site of the docs has beyond the pages in this folder.

The first page is the README. Links to files of the source, which are not part of the site, lead
to the reference of what the file defines, or to the examples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from spanbridge.cli.main import cli

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\[([^\]]*)\]\(((?:\.\./)*)((?:src|examples)/[^)#]+|[A-Z]+(?:\.\w+)?)\)")
FETCHED = re.compile(
    r"<(?:script|img|iframe|link rel=\"stylesheet\")[^>]*(?:src|href)=\"(?:https?:)?//[^>]*>"
)
ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc):<code>(~?)([\w.]+)</code>")


def on_files(files: Files, config: Any) -> Files:
    """Adds the README as the first page, its links as they are from the folder of the docs."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "index.md", content=readme.replace("](docs/", "](")))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Turns links that leave the folder of the docs into links within the site."""
    markdown = LINK.sub(_within_the_site, markdown)
    return markdown.replace("<!-- commands -->", "\n".join(_commands()))


def _commands() -> Iterator[str]:
    top = click.Context(cli, info_name="spanbridge")
    for name in cli.list_commands(top):
        command = cli.get_command(top, name)
        assert command is not None
        yield from _help(command, top, name)


def _help(command: click.Command, above: click.Context, name: str) -> Iterator[str]:
    """The help of a command, and of the commands in it."""
    # as wide as a block of code on a page
    context = click.Context(command, above, name, terminal_width=88, max_content_width=88)
    whole = context.command_path.removeprefix("spanbridge ")
    yield f"## {whole}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from _help(inner, context, inner.name or "")


def on_page_content(html: str, **_: Any) -> str:
    """Shows docstrings without the marks of reStructuredText: roles, double colons."""
    html = ROLE.sub(lambda role: f"<code>{_shown(*role.groups())}</code>", html)
    return html.replace("::</p>", ":</p>")


def on_post_page(output: str, **_: Any) -> str:
    """Refuses a page that would fetch something from elsewhere."""
    if fetched := FETCHED.search(output):
        raise PluginError(f"pages are read offline, but this fetches: {fetched[0]}")
    return output


def _shown(short: str, name: str) -> str:
    return name.rpartition(".")[2] if short else name


def _within_the_site(link: re.Match[str]) -> str:
    text, _, path = link.groups()
    if path.startswith("examples/"):
        return f"[{text}](reference/examples.md)"
    name = re.fullmatch(r"`(\w+)`", text)
    if path.startswith("src/") and name:
        module = path.removeprefix("src/").removesuffix(".py").replace("/", ".")
        return f"[{text}][{module}.{name[1]}]"
    return text  # a file that the site does not show
