"""MkDocs hook: write the pages of commands and settings from the commands' own parsers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib import import_module

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from disco.cli import generate, settings
from disco.cli.main import COMMANDS


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the two pages."""
    files.append(File.generated(config, "reference/commands.md", content=commands()))
    files.append(File.generated(config, "reference/settings.md", content=settings_page()))
    return files


def commands() -> str:
    """All commands with their options, as Markdown."""
    lines = [
        "# Commands",
        "",
        "`disco COMMAND`, or `python -m disco COMMAND`; exit codes are 0 done, 1 could not be done, 2",
    ]
    lines += ["wrong usage, 130 interrupted. Messages go to standard error, results to standard output.", ""]
    for name, (module, _) in COMMANDS.items():
        parser: argparse.ArgumentParser = import_module(module).parser()
        parser.prog = f"disco {name}"
        lines += _command(parser, 2)
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Keys of settings files, as Markdown."""
    parser = generate.parser()
    shown = [action for action in parser._actions if action.help is not argparse.SUPPRESS]
    helps = {action.dest: _help(parser, action) for action in shown}
    lines = [
        "# Settings",
        "",
        "`disco generate --save-settings FILE.toml` stores knobs, filters and methods as TOML,",
    ]
    lines += ["`--settings FILE.toml` uses them again. Options on the command line take precedence over the file."]
    lines += ["Unknown keys and wrong types are refused; files of earlier versions are still read.", ""]
    lines += ["```toml", "sweetness = 2.0", 'include = ["genre=techno"]', 'bpm = "118-126"', "```", ""]
    lines += ["| Key | Type | Meaning |", "|---|---|---|"]
    names = {float: "number", int: "whole number", str: "text", list: "list of texts", bool: "true or false"}
    for key, types in settings.KEYS.items():
        kind = names[float] if float in types else names[types[0]]
        lines.append(f"| `{key}` | {kind} | {_cell(helps.get(key, ''))} |")
    return "\n".join(lines) + "\n"


def _command(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    yield from (f"{'#' * level} {parser.prog}", "", parser.description or "", "")
    verbs: dict[str, argparse.ArgumentParser] = {}
    for group in parser._action_groups:
        shown = [a for a in group._group_actions if a.help is not argparse.SUPPRESS and a.dest != "help"]
        verbs |= {n: p for a in shown if isinstance(a, argparse._SubParsersAction) for n, p in a.choices.items()}
        shown = [action for action in shown if not isinstance(action, argparse._SubParsersAction)]
        if not shown:
            continue
        title = {"positional arguments": "Arguments", "options": "Options"}.get(group.title or "", group.title or "")
        first = "Argument" if group is parser._positionals else "Option"
        yield from (f"**{title[:1].upper()}{title[1:]}**", "", f"| {first} | Meaning |", "|---|---|")
        for action in shown:
            yield f"| {_names(action)} | {_cell(_help(parser, action))} |"
        yield ""
    if parser.epilog:
        example = parser.epilog.partition(":")
        yield from (
            f"*{example[0].capitalize()}:* `{example[2].strip()}`" if "disco " in parser.epilog else parser.epilog,
            "",
        )
    for verb, child in verbs.items():
        child.prog = f"{parser.prog} {verb}"
        yield from _command(child, level + 1)


def _names(action: argparse.Action) -> str:
    names = action.option_strings or [action.metavar if isinstance(action.metavar, str) else action.dest]
    # Aliases of the old spelling are hidden by being options of their own; a flag's negation is its second name.
    value = "" if action.nargs == 0 or not action.option_strings else f" {_value(action)}"
    return ", ".join(f"`{name}{value}`" for name in names)


def _value(action: argparse.Action) -> str:
    if action.choices:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return action.metavar if isinstance(action.metavar, str) else action.dest.upper()


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    return parser._get_formatter()._expand_help(action) if action.help else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
