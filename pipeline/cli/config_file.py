"""`--config`: a YAML file with options for any command.

    device: cuda            # for all commands that have the option
    encode:                 # for one command
      batch-size: 256
    load:
      index: photos

Options have the same names as on the command line, which takes precedence; an argument such as SOURCE is `source`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from lexel.pipeline.errors import ConfigError

# A command's options by name, each with its parameter's name and whether it may be repeated.
Known = Mapping[str, tuple[str, bool]]


def _apply(context: typer.Context, path: Path | None) -> Path | None:
    if path is not None:
        commands = dict(_commands(context.find_root().command))
        chosen = options(read(path), command=context.info_name or "", commands=commands)
        context.default_map = {**(context.default_map or {}), **chosen}
    return path


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="A YAML file with options for this command.", is_eager=True, callback=_apply
    ),
]


def _commands(command: Any) -> Iterator[tuple[str, Known]]:
    """All commands below `command`, with their options."""
    for name, one in command.commands.items():
        yield name, {_name(o): (p.name, p.multiple or p.nargs != 1) for p in one.params for o in p.opts}
        if hasattr(one, "commands"):
            yield from _commands(one)


def read(path: Path) -> dict[str, Any]:
    """The mapping in the YAML file `path`. Raises ConfigError if it cannot be read or is not a mapping."""
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"The configuration {path} cannot be read: {_reason(error)}.") from error
    if not isinstance(table, dict):
        raise ConfigError(f"The configuration {path} should be a table of options: write one `name: value` per line.")
    return table


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f" in line {mark.line + 1}" if mark else ""
    return str(getattr(error, "problem", None) or getattr(error, "strerror", None) or error).partition("\n")[0] + where


def options(table: Mapping[Any, Any], *, command: str, commands: Mapping[str, Known]) -> dict[str, Any]:
    """The values for `command` in `table`, by parameter name; `commands` has the options of all commands.

    Raises ConfigError for an option that the command, or in the common part no command, has.
    """
    sections = {key: value or {} for key, value in table.items() if key in commands and isinstance(value, dict | None)}
    general = {key: value for key, value in table.items() if key not in sections}
    own, known = sections.get(command, {}), commands[command]
    for key in own:
        if _name(key) not in known:
            raise _unknown_option(key, command, known)
    # Without sections, the file is for this command alone.
    anywhere = {name for names in commands.values() for name in names} if sections else known
    for key, value in general.items():
        if isinstance(value, dict):
            raise ConfigError(f"There is no command {key!r}; remove its options from the configuration.")
        if _name(key) not in anywhere:
            raise _unknown_option(key, command, known)
    chosen = {key: value for key, value in general.items() if _name(key) in known} | own
    return {known[_name(key)][0]: _value(value, several=known[_name(key)][1]) for key, value in chosen.items()}


def _unknown_option(key: object, command: str, known: Known) -> ConfigError:
    names = ", ".join(sorted(name for name in known if name not in {"config", "help"}))
    return ConfigError(f"`lexel {command}` has no option {key!r}; it has {names}.")


def _value(value: Any, *, several: bool) -> Any:
    """A value as on the command line; YAML parses some texts as dates."""
    if isinstance(value, list):
        return [_value(one, several=False) for one in value]
    plain = value if value is None or isinstance(value, bool | int | float | str) else str(value)
    return [plain] if several and plain is not None else plain


def _name(key: object) -> str:
    return str(key).lstrip("-").replace("_", "-")
