"""The recipes' door: settings from defaults, then ``--config FILE``, then the command line; errors in one line."""

from __future__ import annotations

import argparse
import difflib
import errno
import importlib.util
import itertools
import sys
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import Any, NoReturn, TextIO

import yaml
from transformers.hf_argparser import string_to_bool

from u2u_hf import output_folder
from u2u_hf.command_line.flags import HelpFormatter, Parser, Switch
from u2u_hf.command_line.statuses import DONE, HELP, SKIPPED, STOPPED
from u2u_hf.data.processes import processes
from u2u_hf.memory import NOT_ENOUGH, memory_problem
from u2u_hf.records import U2UError, trimmed
from u2u_hf.settings import changed
from u2u_hf.visible_text import visible, visible_lines

# Errors of the system that are no fault of the program, and the way out.
_WAYS_OUT = {
    errno.ENOSPC: "the disk is full: make room, then run the same command again",
    errno.EDQUOT: "your share of the disk is full: make room, then run the same command again",
    errno.EACCES: "this may not be read or written by you: change its permissions, or name another folder",
    errno.EPERM: "this may not be read or written by you: change its permissions, or name another folder",
    errno.EROFS: "this disk cannot be written to: name a folder on another one",
    errno.ENAMETOOLONG: "this name is too long for the disk: name another folder",
    errno.ENOMEM: NOT_ENOUGH,
    errno.EIO: "the disk cannot be read or written here: check its cable, and copy what is on it",
}
_TRUTH_VALUES = ("true", "false", "yes", "no")
_only_read: list[str] | None = None  # the words that `understood` asks a recipe about


class _Read(BaseException):
    """What a recipe read from `_only_read`, in place of running."""


def understood(recipe: Path, words: Sequence[str]) -> tuple[Any, ...]:
    """Return the dataclasses that a recipe fills from the words of its command line. Nothing else of it runs.

    Raises:
        U2UError: as `parse`.
    """
    global _only_read
    spec = importlib.util.spec_from_file_location(recipe.stem, recipe)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _only_read = list(words)
    try:
        module.main()
    except _Read as read:
        return read.args
    finally:
        _only_read = None
    raise AssertionError(f"{recipe}: does not begin with cli.parse")


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
    if argv is None:
        argv = sys.argv[1:] if _only_read is None else _only_read
    argv = list(argv)
    parser = Parser(
        classes,
        description=description,
        usage=f"%(prog)s [--config FILE] settings\n{HELP}",
        formatter_class=HelpFormatter,
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
        advice = _nearest(word.split("=")[0], flags) if word.startswith("-") else _in_quotes(word, argv)
        raise U2UError(f"unknown argument {word}{advice} (--help lists the arguments)")
    if _only_read is not None:
        raise _Read(*filled)
    return tuple(filled)


def _require_bare_switches(parser: Parser, argv: Sequence[str]) -> None:
    switches = parser.switches()
    for word, following in itertools.pairwise([*argv, ""]):
        flag, _, value = word.partition("=")
        value = value or following
        if flag in switches and ("=" in word or value.lower() in _TRUTH_VALUES):
            wanted = f"--no_{switches[flag].dest}" if value.lower() in ("false", "no") else flag
            raise U2UError(f"{flag} {value}: a switch takes no value: give {wanted} alone")


def _set_from_file(parser: Parser, path: str) -> None:
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise U2UError(f"--config {path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = " ".join(str(getattr(error, "problem", None) or error).split())[:100]
        if "'\\t'" in problem:
            problem = "begins with a tab, which YAML does not allow: use spaces"
        raise U2UError(f"--config {path}: is not YAML: {f'line {mark.line + 1}: ' if mark else ''}{problem}") from error
    if not isinstance(values, dict):
        raise U2UError(f"--config {path}: must hold lines of the form 'name: value'")
    actions = {action.dest: action for action in parser._actions if action.dest not in ("help", "help_all", "config")}
    for key, value in values.items():
        if key not in actions:
            raise U2UError(f"--config {path}: unknown key {trimmed(key)}{_nearest(str(key), list(actions))}")
        action = actions[key]
        action.required = False
        if value is None and action.default is not None:
            raise U2UError(f"--config {path}: {key}: has no value: write one, or remove the line")
        try:
            values[key] = _coerced(action, value, parser.nested.get(key, frozenset()))
        except (ValueError, TypeError, OverflowError, argparse.ArgumentTypeError) as error:
            raise U2UError(f"--config {path}: {key}: {trimmed(value)} cannot be read ({str(error)[:80]})") from error
    parser.set_defaults(**values)


def _coerced(action: argparse.Action, value: Any, nested: Container[type]) -> Any:
    """Return `value` as the command line would have given it: YAML reads 5e-5 as a string, `yes` as a boolean.

    Args:
        nested: see `Parser.nested`.

    Raises:
        ValueError, TypeError, OverflowError, argparse.ArgumentTypeError: a value of the wrong kind.
    """
    if isinstance(action, Switch) and value is not None:
        return string_to_bool(value if isinstance(value, bool) else str(value))
    if value is None or action.type is None:
        return value
    if action.nargs in ("+", 1):
        return [_one(action, item, nested) for item in (value if isinstance(value, list) else [value])]
    return _one(action, value, nested)


def _one(action: argparse.Action, value: Any, nested: Container[type]) -> Any:
    if isinstance(value, (dict, list)):
        if type(value) in nested:
            return value
        raise TypeError("a table or list, where one value belongs")
    if isinstance(value, bool):
        return action.type(str(value).lower())
    return action.type(value if isinstance(value, (int, float)) and action.type in (int, float) else str(value))


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f": did you mean {close[0]}?" if close else ""


def _in_quotes(word: str, argv: Sequence[str]) -> str:
    """Return how to write the flag before a word that is left over, as if the word belonged to its value."""
    at = argv.index(word) if word in argv else 0
    before = [index for index in range(at) if argv[index].startswith("--")]
    if not before or before[-1] + 1 == at:
        return ""
    flag, *words = argv[before[-1] : at + 1]
    return f': names with spaces need quotes: {flag} "{" ".join(words)}"'


def save(path: Path, *filled: Any) -> None:
    """Write the settings that differ from their defaults as YAML, for ``--config``; see `changed`."""
    output_folder.write(path, yaml.safe_dump(changed(*filled), allow_unicode=True, sort_keys=False))


def launch(main: Callable[[], int | None]) -> NoReturn:
    """Run a recipe and exit with one of `statuses`; an error that the user can fix is one line on stderr."""
    for stream in (sys.stdout, sys.stderr):  # Windows' own encodings lack the letters of most languages
        stream.reconfigure(errors="backslashreplace")
    stdout, sys.stdout = sys.stdout, _Visible(sys.stdout)
    try:
        status = main() or DONE
        # Of several processes the first, which writes what all have found, tells: torchrun ends all once one fails.
        sys.exit(DONE if status == SKIPPED and not processes().is_main_process else status)
    except U2UError as error:
        sys.exit(_error_line(str(error)))
    except OSError as error:
        if error.errno not in _WAYS_OUT:
            raise
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(_error_line(f"{where}{_WAYS_OUT[error.errno]}"))
    except Exception as error:  # for lack of memory libraries raise many classes
        if not (problem := memory_problem(error)):
            raise
        sys.exit(_error_line(problem))
    except KeyboardInterrupt:
        sys.exit(STOPPED)
    finally:
        sys.stdout = stdout
        output_folder.give_back()
        # Without this, the first of a launcher's processes that ends makes the others abort.
        if (torch := sys.modules.get("torch")) and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


class _Visible:
    """A text stream on which names of files, tiers and speakers cannot command the terminal."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(visible_lines(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _error_line(message: str) -> str:
    """Return one line. A name in it may hold characters that command the terminal, or turn its text around."""
    return f"error: {visible(' '.join(message.split()))}"
