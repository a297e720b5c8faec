"""The recipes' door: settings from defaults, then ``--config FILE``, then the command line; errors in one line."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import errno
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, get_type_hints

import yaml
from transformers import HfArgumentParser
from transformers.hf_argparser import string_to_bool

from u2u_hf import output_folder
from u2u_hf.records import U2UError
from u2u_hf.reports.characters import visible
from u2u_hf.settings import changed

_THEIRS = "also, from transformers.TrainingArguments"
# Errors of the system that are no fault of the program, and the way out.
_WAYS_OUT = {
    errno.ENOSPC: "the disk is full: make room, then run the same command again",
    errno.EDQUOT: "your share of the disk is full: make room, then run the same command again",
    errno.EACCES: "this may not be read or written by you: change its permissions, or name another folder",
    errno.EPERM: "this may not be read or written by you: change its permissions, or name another folder",
    errno.EROFS: "this disk cannot be written to: name a folder on another one",
    errno.ENAMETOOLONG: "this name is too long for the disk: name another folder",
    errno.EIO: "the disk cannot be read or written here: check its cable, and copy what is on it",
}
_TRUTH_VALUES = ("true", "false", "yes", "no")


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """A formatter with one line for each setting where it fits, and its default in parentheses."""

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

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if isinstance(action, _Switch) and action.default is False:  # the usual case: --no_x only undoes a YAML file
            return action.option_strings[0]
        return super()._format_action_invocation(action)


class _Switch(argparse.Action):
    """A flag without a value: ``--x`` sets x to True, ``--no_x`` to False."""

    def __init__(self, option_strings: Sequence[str], dest: str, **settings: Any):
        super().__init__([*option_strings, f"--no_{dest}"], dest, nargs=0, **settings)

    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, not option_string.startswith("--no_"))


class _Append(argparse.Action):
    """A flag that is given once for each item of a list; the first one replaces the default."""

    def __call__(self, parser, namespace, values, option_string=None):
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, values if before is self.default else [*before, *values])


class _HelpAll(argparse.Action):
    """``--help``, with transformers' settings below ours."""

    def __call__(self, parser, namespace, values, option_string=None):
        parser.shows_all = True
        parser.print_help()
        parser.exit()


class _Group:
    """An argument group that changes what HfArgumentParser adds: one name a setting, and switches without a value."""

    def __init__(self, group: argparse._ArgumentGroup, repeated: bool):
        self._group, self._repeated = group, repeated

    def add_argument(self, name: str, *_other_names: str, **settings: Any) -> None:
        if name.startswith("--no_"):  # _Switch adds it
            return
        if settings.get("type") is string_to_bool:
            self._group.add_argument(name, action=_Switch, default=settings.get("default"), help=settings.get("help"))
            return
        if not settings.get("choices"):
            settings["metavar"] = {int: "N", float: "X"}.get(settings.get("type"), "TEXT")
        if settings.get("nargs") == "+" and self._repeated:
            settings |= {"nargs": 1, "action": _Append, "help": f"{settings['help']} (repeat the flag for each)"}
        self._group.add_argument(name, **settings)


class _Parser(HfArgumentParser):
    """HfArgumentParser whose help shows a recipe's own settings; ``--help_all`` shows transformers' too."""

    shows_all = False

    def _add_dataclass_arguments(self, dtype: type) -> None:
        hints = get_type_hints(dtype)
        fields = [field for field in dataclasses.fields(dtype) if field.init]
        for field in [field for field in fields if field.metadata.get("fixed")]:
            self.set_defaults(**{field.name: field.default})
            fields.remove(field)
        # A flag that takes many words would also take positional ones.
        repeated = any(field.metadata.get("positional") for field in fields)
        for field in sorted(fields, key=_has_default):
            field.type = hints[field.name]
            theirs = field.name not in _declared(dtype)
            group = self._group(_THEIRS if theirs else "settings")
            if field.metadata.get("positional"):
                group.add_argument(field.name, nargs="+", help=field.metadata["help"])
            else:
                self._parse_dataclass_field(_Group(group, repeated), field)

    def _group(self, title: str) -> argparse._ArgumentGroup:
        return next((g for g in self._action_groups if g.title == title), None) or self.add_argument_group(title)

    def add_general_flags(self) -> None:
        self.add_argument("--config", metavar="FILE", help="YAML file with any of these settings, one a line")
        if any(group.title == _THEIRS for group in self._action_groups):
            self.add_argument("--help_all", action=_HelpAll, nargs=0, help="show transformers' settings too, and exit")

    def switches(self) -> dict[str, _Switch]:
        """Return each switch by its flags: ``--x`` and ``--no_x``."""
        return {
            flag: action for action in self._actions if isinstance(action, _Switch) for flag in action.option_strings
        }

    def format_help(self) -> str:
        groups = self._action_groups
        self._action_groups = [group for group in groups if self.shows_all or group.title != _THEIRS]
        try:
            return super().format_help()
        finally:
            self._action_groups = groups

    def error(self, message: str) -> NoReturn:
        raise U2UError(f"{message} (--help lists the arguments)")


def _declared(dtype: type) -> set[str]:
    """Return the names of the fields that this project's own classes declare."""
    ours = [base for base in dtype.__mro__ if not base.__module__.startswith("transformers.")]
    return {name for base in ours for name in vars(base).get("__annotations__", ())}


def _has_default(field: dataclasses.Field) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def parse(*classes: type, description: str | None = None, argv: Sequence[str] | None = None) -> tuple[Any, ...]:
    """Return the dataclasses, filled from their defaults, ``--config`` and the command line.

    Args:
        classes: dataclasses whose fields become flags, but for those with ``fixed`` metadata. A bool becomes a switch:
            ``--x`` alone means True, ``--no_x`` False; a YAML file says ``x: true``.
        description: first part of ``--help``; a recipe gives its docstring.
        argv: the command line without the program's name; None for this process's.

    Raises:
        U2UError: an unknown key or flag (the nearest known one is named), or a value of the wrong kind.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = _Parser(
        classes,
        description=description,
        usage="%(prog)s [--config FILE] settings",
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_general_flags()
    _require_bare_switches(parser, argv)
    only_config = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    only_config.add_argument("--config")
    config = only_config.parse_known_args(argv)[0].config
    if config:
        _set_from_file(parser, config)
    *filled, _, unknown = parser.parse_args_into_dataclasses(
        args=argv, look_for_args_file=False, return_remaining_strings=True
    )
    flags = [option for action in parser._actions for option in action.option_strings]
    for word in unknown:
        raise U2UError(f"unknown argument {word}{_nearest(word.split('=')[0], flags)} (--help lists the arguments)")
    return tuple(filled)


def _require_bare_switches(parser: _Parser, argv: Sequence[str]) -> None:
    switches = parser.switches()
    for word, following in zip(argv, [*argv[1:], ""], strict=True):
        flag, _, value = word.partition("=")
        value = value or following
        if flag in switches and ("=" in word or value.lower() in _TRUTH_VALUES):
            wanted = f"--no_{switches[flag].dest}" if value.lower() in ("false", "no") else flag
            raise U2UError(f"{flag} {value}: a switch takes no value: give {wanted} alone")


def _set_from_file(parser: argparse.ArgumentParser, path: str) -> None:
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise U2UError(f"--config {path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    except yaml.YAMLError as error:
        raise U2UError(f"--config {path}: is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise U2UError(f"--config {path}: must hold lines of the form 'name: value'")
    actions = {action.dest: action for action in parser._actions if action.dest not in ("help", "help_all", "config")}
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
    """Return `value` as the command line would have given it: YAML reads 5e-5 as a string, `yes` as a boolean.

    Raises:
        ValueError, TypeError, argparse.ArgumentTypeError: a value of the wrong kind.
    """
    if isinstance(action, _Switch) and value is not None:
        return string_to_bool(value if isinstance(value, bool) else str(value))
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
    """Write the settings that differ from their defaults as YAML, for ``--config``; see `changed`."""
    output_folder.write(path, yaml.safe_dump(changed(*filled), allow_unicode=True, sort_keys=False))


def launch(main: Callable[[], int | None]) -> NoReturn:
    """Run a recipe and exit; an error that the user can fix is one line on stderr and exit status 1."""
    for stream in (sys.stdout, sys.stderr):  # Windows' own encodings lack the letters of most languages
        stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(main() or 0)
    except U2UError as error:
        sys.exit(_error_line(str(error)))
    except OSError as error:
        if error.errno not in _WAYS_OUT:
            raise
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(_error_line(f"{where}{_WAYS_OUT[error.errno]}"))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        output_folder.give_back()
        # Without this, the first of a launcher's processes that ends makes the others abort.
        if (torch := sys.modules.get("torch")) and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def _error_line(message: str) -> str:
    """Return one line. A name in it may hold characters that command the terminal, or turn its text around."""
    return f"error: {visible(' '.join(message.split()))}"
