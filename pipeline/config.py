"""A YAML file that gives the options of any command.

    device: cuda            # for every command that has the option
    encode:                 # for one command
      batch-size: 256
    load:
      index: photos

What is given on the command line wins.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from lexel.pipeline.errors import ConfigError


def _apply(context: typer.Context, path: Path | None) -> Path | None:
    if path is not None:
        context.default_map = dict(context.default_map or {}) | options(
            read(path), command=context.info_name or "", known={p.name for p in context.command.params if p.name}
        )
    return path


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="A YAML file with options for this command.", is_eager=True, callback=_apply
    ),
]


def read(path: Path) -> dict[str, Any]:
    """The table in `path`. Raises ConfigError where it cannot be read or is none."""
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"The configuration {path} cannot be read: {str(error).splitlines()[0]}.") from error
    if not isinstance(table, dict):
        raise ConfigError(f"The configuration {path} should be a table of options, one `name: value` a line.")
    return table


def options(table: dict[str, Any], *, command: str, known: set[str]) -> dict[str, Any]:
    """The options of `command` in `table`. Raises ConfigError for a name that the command does not know."""
    general = {key: value for key, value in table.items() if not isinstance(value, dict)}
    own = table.get(command) or {}
    named = {_name(key): value for key, value in general.items() if _name(key) in known} | {
        _name(k): v for k, v in own.items()
    }
    stranger = next((key for key in own if _name(key) not in known), None)
    if stranger is None and command not in table:
        # Without a section of its own, a command takes the whole file to be meant for it.
        sections = any(isinstance(value, dict) for value in table.values())
        stranger = next((key for key in general if _name(key) not in known and not sections), None)
    if stranger is not None:
        names = ", ".join(sorted(name.replace("_", "-") for name in known - {"config", "help"}))
        raise ConfigError(f"`lexel {command}` has no option {stranger!r}; it has {names}.")
    return named


def _name(key: object) -> str:
    return str(key).replace("-", "_")
