"""The docs name what there is: links, options, settings, steps, parts, keys."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from benchmarks.__main__ import NAMES
from benchmarks.training import TABLES
from click import Command, Group
from pydantic.fields import FieldInfo

from spanbridge.cli.main import cli
from spanbridge.core import registry
from spanbridge.core.rows import SIDES
from spanbridge.datasets import datasets
from spanbridge.datasets.description import OWN_FORMATS, Description, HowRead, Layout
from spanbridge.formats import Reading, find_format
from spanbridge.formats.plain_fields import ALL_PLAIN_FIELDS
from spanbridge.projection.scores import SCORES, TranslationScore
from spanbridge.run.config import Settings
from spanbridge.steps.base import PartSettings
from spanbridge.study import settings as study
from spanbridge.translation.guards import Guards

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
PAGES = [ROOT / "README.md", *DOCS, *TUTORIALS]
FENCE = re.compile(r"^(<!-- run -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
PART_OPTION = re.compile(r"--(method|aligner|tagger|translator)-option ([a-z]\w*)=")
# The commands whose options a page may name beside a command's own line.
COMMANDS = {
    "align": ("align", "project"),
    "convert": ("convert", "label"),
    "corrections": ("project", "choose", "guidelines"),
    "data": ("data",),
    "compare": ("compare",),
    "evaluate": ("evaluate",),
    "formats": ("project", "evaluate", "label"),
    "advise": ("advise", "label"),
    "label": ("label", "make-data", "train"),
    "perturb": ("perturb",),
    "project": ("project",),
    "run": ("run", "label", "make-data", "project"),
    "study": ("study",),
    "tag": ("tag", "train"),
    "train": ("train", "tag"),
    "translate": ("translate",),
    "review": ("review", "convert", "train", "project", "demo"),
    "view": ("view",),
}
KINDS = ("aligner", "method", "tagger", "translator", "splitter", "segmenter", "perturbation")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def text_of(page: str) -> str:
    return (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def table(text: str, head: str) -> list[list[str]]:
    """The cells of the table whose head line begins so."""
    lines = text.split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {head} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        # a bar inside code divides no cells
        plain = re.sub(r"`[^`]*`", lambda code: code[0].replace("|", "\0"), line)
        rows.append([cell.strip().replace("\0", "|") for cell in plain.strip("|").split("|")])
    assert rows
    return rows


def names(cell: str) -> list[str]:
    return re.findall(r"`([\w-]+)`", cell)


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", head.lower()) for head in heads)
    return {head.strip().replace(" ", "-") for head in plain}


@pages
def test_relative_links_lead_somewhere(page):
    for target in LINK.findall(prose(page)):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_benchmark_that_is_named_is_one(page):
    named = re.findall(r"-m\s+benchmarks([.\w]*)(?:\s+(\w+))?(?:\s+(\w+))?", prose(page))
    for dotted, name, table in named:
        assert not dotted
        assert name in ("", *NAMES)
        assert name != "training" or table in TABLES


def test_every_page_is_reached_from_the_readme_or_the_architecture():
    linked = "".join(prose(ROOT / name) for name in ("README.md", "docs/architecture.md"))
    for page in (*DOCS, *TUTORIALS):
        assert f"{page.name})" in linked or f"{page.name}#" in linked, page.name


def test_files_that_are_named_are_there():
    known = [ROOT, ROOT / "src" / "spanbridge"]
    for page in PAGES:
        for path in re.findall(r"`((?:[\w-]+/)+[\w-]+\.(?:py|toml|yaml))", prose(page)):
            assert any((folder / path).exists() for folder in known), f"{page.name}: {path}"


def test_the_house_has_every_file():
    source = ROOT / "src" / "spanbridge"
    drawn = FENCE.search(text_of("architecture"))
    assert drawn is not None
    floors = re.split(r"^  (?=[\w.]+/ )", drawn[3], flags=re.MULTILINE)
    told = {floor.partition("/")[0]: set(re.findall(r"[\w.]+\.\w+", floor)) for floor in floors}
    whole = {"cli", "demo", "report"}  # one line for the folder
    for folder in (path.parent for path in source.glob("*/__init__.py")):
        assert folder.name in told, folder.name
        files = {path.name for path in folder.glob("*.py") if not path.name.startswith("_")}
        if folder.name not in whole:
            missing = files - told[folder.name]
            assert not missing, folder.name
            stale = {name for name in told[folder.name] if name.endswith(".py")} - files
            assert not {name for name in stale if not any(folder.glob(f"*/{name}"))}


def all_commands() -> tuple[str, ...]:
    return tuple(cli.list_commands(None))  # type: ignore[arg-type]


@cache
def options_of(command: str) -> frozenset[str]:
    found = cli.get_command(None, command)  # type: ignore[arg-type]
    assert isinstance(found, Command), f"there is no command {command}"
    inner = found.commands.values() if isinstance(found, Group) else ()
    params = [param for one in (found, *inner) for param in one.params]
    named = {name for param in params for name in (*param.opts, *param.secondary_opts)}
    return frozenset({"--help", *named})


def commands_in(text: str) -> list[tuple[str, str]]:
    """Each ``spanbridge COMMAND ...`` with its arguments, as far as the line or the code goes."""
    joined = re.sub(r"\\\n\s*", " ", text)
    known = "|".join(all_commands())
    return re.findall(rf"^(?:\$ )?(?:spanbridge )?({known})\b([^#\n]*)", joined, re.MULTILINE)


def code_of(page: Path) -> tuple[list[str], list[str]]:
    """Shell blocks, and code within sentences."""
    text = page.read_text(encoding="utf-8")
    blocks = [body for _, kind, body in FENCE.findall(text) if kind in ("", "sh", "bash")]
    inline = re.findall(r"`([^`]+)`", FENCE.sub("", text).replace("\n", " "))
    return blocks, inline


@pages
def test_options_exist(page):
    blocks, inline = code_of(page)
    for code in (*blocks, *inline):
        for command, rest in commands_in(code):
            for option in OPTION.findall(rest):
                assert option in options_of(command), f"{page.name}: {command} {option}"
    own = COMMANDS.get(page.stem)
    everywhere = all_commands() if own is None else own
    known = frozenset().union(*map(options_of, everywhere))
    for code in inline:
        if code.startswith("-"):
            for option in OPTION.findall(code):
                assert option in known, f"{page.name}: {option}"


@pages
def test_options_of_parts_exist(page):
    for kind, option in PART_OPTION.findall(page.read_text(encoding="utf-8")):
        assert any(option in arguments(kind, name) for name in registry.names(kind)), option


@cache
def arguments(kind: str, name: str) -> frozenset[str]:
    # optional packages need not be installed for their parts' options to be read
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "require", lambda *modules, by: None)
        return frozenset(registry.options_of(registry.load(kind, name)).model_fields)


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        ("project", "method"),
        ("align", "aligner"),
        ("tag", "tagger"),
        ("translate", "translator"),
        ("perturb", "perturbation"),
    ],
)
def test_the_table_of_part_options_is_complete(page, kind):
    told: dict[str, set[str]] = {}
    for options, parts, *_ in table(text_of(page), "option"):
        for part in names(parts):
            told.setdefault(part, set()).update(names(options))
    flags = {"self", "args", "kwargs", "model", "encoder"}  # a flag of their own, or none
    for name in registry.names(kind):
        assert arguments(kind, name) - flags == told.pop(name, set()), name
    assert not told


def fields(model) -> dict[str, FieldInfo]:
    return model.model_fields


def test_run_names_every_setting():
    told = [name for cell, *_ in table(text_of("run"), "setting") for name in names(cell)]
    assert sorted(told) == sorted(fields(Settings))


def test_study_names_every_setting():
    page = text_of("study")
    for model, head in (
        (study.Study, "setting"),
        (study.Data, "of `data`"),
        (study.System, "of a system"),
        (study.Scores, "of `scores`"),
        (study.Report, "of `report`"),
    ):
        told = [name for cell, *_ in table(page, head) for name in names(cell)]
        assert sorted(told) == sorted(fields(model)), head


def test_run_names_every_step_with_its_settings():
    told = {names(step)[0]: settings for step, _, _, settings in table(text_of("run"), "step")}
    assert sorted(told) == sorted(registry.names("step"))
    of_project = text_of("run").split("**project** has these settings")[1]
    for name, cell in told.items():
        known = fields(registry.load("step", name))
        if name == "project":
            listed = [n for first, *_ in table(of_project, "setting") for n in names(first)]
        else:
            listed = names(cell)
        assert sorted(listed) == sorted(known), name


def test_data_names_every_setting():
    [told, of_files] = (
        {name for cell, *_ in table(text_of("data"), head) for name in names(cell)}
        for head in ("setting", "setting of `files`")
    )
    assert told == set(fields(Description))
    assert of_files == set(fields(Layout))
    reading = next(c for s, c in table(text_of("data"), "setting") if s == "`reading`")
    assert {*names(reading)} - {"Reading"} == set(fields(HowRead))


def test_data_names_every_data_set():
    told = [name for cell, *_ in table(text_of("data"), "data sets") for name in names(cell)]
    known = [name for name in datasets() if "by-domain" not in name or "hotel" in name]
    assert sorted(told) == sorted(known)


def test_data_names_every_layout():
    said = text_of("data")
    for name in OWN_FORMATS:
        assert f"`{name}`" in said, name


def test_run_states_the_defaults_of_settings():
    for name, _, _, cell in table(text_of("run"), "step"):
        known = fields(registry.load("step", names(name)[0]))
        for setting, stated in re.findall(r"`([\w-]+)` \(([^)]*)\)", cell):
            default = known[setting].default
            if isinstance(default, PartSettings):
                default = default.name
            assert stated == str(default), f"{name} {setting}"
    for setting, _, stated in table(text_of("run"), "setting"):
        for name in names(setting):
            default = fields(Settings)[name].default
            if isinstance(default, int) and not isinstance(default, bool):
                assert stated == str(default), name


def test_run_states_the_guards():
    stated = re.search(r"`\{(max_ratio[^}]*)\}`", text_of("run").replace("\n", " "))
    assert stated is not None
    pairs = dict(item.split(": ") for item in stated[1].split(", "))
    default = Guards()
    assert pairs == {name: str(getattr(default, name)) for name in Guards.__dataclass_fields__}


def test_run_names_every_part():
    told = {names(kind)[0]: names(cell) for kind, cell in table(text_of("run"), "part")}
    assert sorted(told) == sorted(KINDS)
    for kind, listed in told.items():
        assert sorted(listed) == sorted(registry.names(kind)), kind


def test_choices_of_settings_are_named():
    project = fields(registry.load("step", "project"))
    said = text_of("run")
    for choice in get_args(project["links"].annotation):
        assert f"`{choice}`" in said


@pytest.mark.parametrize(
    ("page", "flag", "kind"),
    [
        ("project", "`--method`", "method"),
        ("tag", "`--tagger`", "tagger"),
        ("translate", "`--translator`", "translator"),
        ("perturb", "`--kind`", "perturbation"),
    ],
)
def test_parts_have_a_line_in_their_page(page, flag, kind):
    told = [name for first, *_ in table(text_of(page), flag) for name in names(first)]
    assert sorted(told) == sorted(registry.names(kind))


def test_project_names_every_score():
    told = [name for first, *_ in table(text_of("project"), "score") for name in names(first)]
    known = {*SCORES, TranslationScore.name, *registry.names("score")}
    assert sorted(told) == sorted(known)


def test_formats_are_named_with_their_suffixes():
    told = {
        names(name)[0]: tuple(re.findall(r"`(\.\w+)`", suffixes))
        for name, suffixes, _ in table(text_of("formats"), "format")
    }
    known = {name: registry.load("format", name).suffixes for name in registry.names("format")}
    assert told == known


def test_formats_names_the_keys_that_the_reader_knows():
    told = [name for first, *_ in table(text_of("formats"), "key") for name in names(first)]
    of_sides = {
        f"{side}_{part}" for side in SIDES for part in ("words", "text", "spans", "word_offsets")
    }
    plain = {field.key for field in ALL_PLAIN_FIELDS}
    assert sorted(told) == sorted({"id", "links", "link_scores"} | of_sides | plain)


def test_the_row_of_the_formats_page_is_read(tmp_path):
    [row] = [body for _, kind, body in FENCE.findall(text_of("formats")) if kind == "json"]
    file = tmp_path / "row.jsonl"
    file.write_text(" ".join(row.split("\n")) + "\n", encoding="utf-8")
    [(_, pair)] = find_format(file).read(file, "target", Reading())
    assert not pair.extra
    assert pair.confidence is not None
