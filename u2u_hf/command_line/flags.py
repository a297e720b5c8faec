"""A recipe's flags: argparse made from dataclasses, with switches without a value and a help that fits a screen."""

from __future__ import annotations

import argparse
import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, get_args, get_origin, get_type_hints

from transformers import HfArgumentParser
from transformers.hf_argparser import string_to_bool

from u2u_hf.records import U2UError

_THEIRS = "also, from transformers.TrainingArguments"


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
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
        if isinstance(action, Switch) and action.default is False:  # the usual case: --no_x only undoes a YAML file
            return action.option_strings[0]
        return super()._format_action_invocation(action)


class Switch(argparse.Action):
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
        if name.startswith("--no_"):  # Switch adds it
            return
        if settings.get("type") is string_to_bool:
            self._group.add_argument(name, action=Switch, default=settings.get("default"), help=settings.get("help"))
            return
        if not settings.get("choices"):
            settings["metavar"] = {int: "N", float: "X"}.get(settings.get("type"), "TEXT")
        if settings.get("nargs") == "+" and self._repeated:
            settings |= {"nargs": 1, "action": _Append, "help": f"{settings['help']} (repeat the flag for each)"}
        self._group.add_argument(name, **settings)


class Parser(HfArgumentParser):
    """HfArgumentParser whose help shows a recipe's own settings; ``--help_all`` shows transformers' too.

    Attributes:
        nested: setting → the collections that it or its items may be in a YAML file, by its type: dict, list.
    """

    shows_all = False
    nested: Mapping[str, frozenset[type]] = {}

    def _add_dataclass_arguments(self, dtype: type) -> None:
        hints = get_type_hints(dtype)
        fields = [field for field in dataclasses.fields(dtype) if field.init]
        self.nested = {**self.nested, **{field.name: _collections(hints[field.name]) for field in fields}}
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

    def switches(self) -> dict[str, Switch]:
        """Return each switch by its flags: ``--x`` and ``--no_x``."""
        return {
            flag: action for action in self._actions if isinstance(action, Switch) for flag in action.option_strings
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


def _collections(hint: Any) -> frozenset[type]:
    """Return the collections in a type, but for one outermost list, whose items a flag takes as words.

    >>> _collections(list[dict]), _collections(list[str]), _collections(str | list[str] | None)
    (frozenset({<class 'dict'>}), frozenset(), frozenset({<class 'list'>}))
    """
    inner = get_args(hint) if get_origin(hint) is list else [hint]
    kinds = {get_origin(part) or part for part in (*inner, *(union for part in inner for union in get_args(part)))}
    return frozenset(kind for kind in (dict, list) if kind in kinds)


def _declared(dtype: type) -> set[str]:
    """Return the names of the fields that this project's own classes declare."""
    ours = [base for base in dtype.__mro__ if not base.__module__.startswith("transformers.")]
    return {name for base in ours for name in vars(base).get("__annotations__", ())}


def _has_default(field: dataclasses.Field) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
