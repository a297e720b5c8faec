"""Arguments of the recipes: dataclasses filled from defaults, then ``--config file.yaml``, then the command line."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, get_type_hints

import yaml
from transformers import HfArgumentParser

from u2u_hf import output_folder
from u2u_hf.records import U2UError
from u2u_hf.settings import changed


class _Help(argparse.RawDescriptionHelpFormatter):
    """One line for each setting where it fits, with its default; no line of usage that lists them all."""

    def __init__(self, prog: str):
        super().__init__(prog, max_help_position=36, width=min(120, shutil.get_terminal_size().columns))

    def _get_help_string(self, action: argparse.Action) -> str:
        text = (action.help or "").replace("`", "")
        plain = isinstance(action.default, (str, int, float, list)) and not isinstance(action.default, bool)
        if plain and action.default not in ("", [], argparse.SUPPRESS) and "%(default)" not in text:
            default = action.default if isinstance(action.default, list) else [action.default]
            if not any(isinstance(item, dict) for item in default):
                text += f" ({' '.join(getattr(item, 'value', str(item)) for item in default).replace('%', '%%')})"
        return text


class _Again(argparse.Action):
    """A list of which each flag gives one item; the first of them takes the default's place."""

    def __call__(self, parser, namespace, values, option_string=None):
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, values if before is self.default else [*before, *values])


class _OneName:
    """Adds what HfArgumentParser adds to a group, but each setting under one name, and not its negation."""

    def __init__(self, group: argparse._ArgumentGroup, again: bool):
        self._group, self._again = group, again

    def add_argument(self, name: str, *_other_names: str, **settings: Any) -> None:
        if name.startswith("--no_"):  # --x false says it
            return
        if settings.get("nargs") == "?":
            settings["metavar"] = "true|false"
        elif not settings.get("choices"):
            settings["metavar"] = {int: "N", float: "X"}.get(settings.get("type"), "TEXT")
        if settings.get("nargs") == "+" and self._again:
            settings |= {"nargs": 1, "action": _Again, "help": f"{settings['help']} (once for each)"}
        self._group.add_argument(name, **settings)


class _Parser(HfArgumentParser):
    """HfArgumentParser whose help shows a recipe's own settings first."""

    def _add_dataclass_arguments(self, dtype: type) -> None:
        hints = get_type_hints(dtype)
        # A flag with many words would take those that stand for themselves, too.
        again = any(f.metadata.get("positional") for f in dataclasses.fields(dtype))
        for field in sorted((f for f in dataclasses.fields(dtype) if f.init), key=_has_default):
            field.type = hints[field.name]
            theirs = field.name not in _declared(dtype)
            group = self._group("also, from transformers.TrainingArguments" if theirs else "settings")
            if field.metadata.get("positional"):
                group.add_argument(field.name, nargs="+", help=field.metadata["help"])
            else:
                self._parse_dataclass_field(_OneName(group, again), field)

    def _group(self, title: str) -> argparse._ArgumentGroup:
        return next((g for g in self._action_groups if g.title == title), None) or self.add_argument_group(title)

    def error(self, message: str) -> NoReturn:
        raise U2UError(f"{message} (--help lists the arguments)")


def _declared(dtype: type) -> set[str]:
    """The fields that this project's own classes declare, and not one of transformers'."""
    ours = [base for base in dtype.__mro__ if not base.__module__.startswith("transformers.")]
    return {name for base in ours for name in vars(base).get("__annotations__", ())}


def _has_default(field: dataclasses.Field) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def parse(*classes: type, description: str | None = None, argv: Sequence[str] | None = None) -> tuple[Any, ...]:
    """Fill the dataclasses.

    Args:
        classes: dataclasses whose fields become flags.
        description: what ``--help`` says first; a recipe gives its docstring.
        argv: the command line without the program's name; None for this process's.

    Raises:
        U2UError: an unknown key or flag (the nearest known one is named), or a value of the wrong kind.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = _Parser(
        classes,
        description=description,
        usage="%(prog)s [--config FILE] settings",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("--config", metavar="FILE", help="YAML file with any of these settings, one a line")
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--config")
    config = first.parse_known_args(argv)[0].config
    if config:
        _set_from_file(parser, config)
    *filled, _, unknown = parser.parse_args_into_dataclasses(
        args=argv, look_for_args_file=False, return_remaining_strings=True
    )
    flags = [option for action in parser._actions for option in action.option_strings]
    for word in unknown:
        raise U2UError(f"unknown argument {word}{_nearest(word.split('=')[0], flags)} (--help lists the arguments)")
    return tuple(filled)


def _set_from_file(parser: argparse.ArgumentParser, path: str) -> None:
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise U2UError(f"--config {path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    except yaml.YAMLError as error:
        raise U2UError(f"--config {path}: is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise U2UError(f"--config {path}: must hold lines of the form 'name: value'")
    actions = {action.dest: action for action in parser._actions if action.dest not in ("help", "config")}
    for key, value in values.items():
        if key not in actions:
            raise U2UError(f"--config {path}: unknown key {key!r}{_nearest(str(key), list(actions))}")
        action = actions[key]
        action.required = False
        try:
            values[key] = _coerced(action, value)
        except (ValueError, TypeError, argparse.ArgumentTypeError) as error:
            raise U2UError(f"--config {path}: {key}: {value!r} cannot be read ({error})") from error
    parser.set_defaults(**values)


def _coerced(action: argparse.Action, value: Any) -> Any:
    """What the command line would have made of `value`: YAML reads 5e-5 as a string, `yes` as a boolean."""
    if value is None or action.type is None:
        return value
    if action.nargs in ("+", 1):
        items = value if isinstance(value, list) else [value]
        return [item if isinstance(item, (dict, list)) else action.type(item) for item in items]
    if isinstance(value, (dict, list)):
        return value
    if isinstance(value, bool):
        return action.type(str(value).lower())
    return action.type(value if isinstance(value, (int, float)) and action.type in (int, float) else str(value))


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f": did you mean {close[0]}?" if close else ""


def save(path: Path, *filled: Any) -> None:
    """Write `changed` settings as YAML that ``--config`` reads again."""
    output_folder.write(path, yaml.safe_dump(changed(*filled), allow_unicode=True, sort_keys=False))


def launch(main: Callable[[], int | None]) -> NoReturn:
    """Run a recipe: what the user can mend is one line on stderr and exit status 1."""
    for stream in (sys.stdout, sys.stderr):  # Windows' own encodings lack most letters of most languages
        stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(main() or 0)
    except U2UError as error:
        sys.exit(f"error: {' '.join(str(error).split())}")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        output_folder.give_back()  # what failed before it wrote anything leaves nothing
        # Processes of a launcher part in good order, or the first to leave makes the others abort.
        if (torch := sys.modules.get("torch")) and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
