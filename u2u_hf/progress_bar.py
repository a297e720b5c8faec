"""Progress of a long step: a bar in a terminal, plain lines in pipes, log files and notebooks."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

from u2u_hf.visible_text import visible

_SHORTEST_S, _LONGEST_S = 10, 60  # time between two plain lines
_SHARE = 0.1  # progress that is worth a plain line once the shortest time is over
_COUNTS = "{n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]"


def progress_bar(
    iterable: Iterable[Any] | None = None, *, desc: str, after_bar: str = _COUNTS, **settings: Any
) -> tqdm:
    """Return a tqdm bar on stderr; outside a terminal it writes plain lines in its place.

    A plain line is written for each further 10 %, at most every 10 s and at least every 60 s, and at the end.

    Args:
        after_bar: what follows the bar, in tqdm's ``bar_format``.
        settings: tqdm's own: ``total``, ``unit``, ``disable``…
    """
    desc = visible(desc)
    if in_terminal():
        return _Bar(iterable, desc=desc, bar_format="{l_bar}{bar}| " + after_bar, dynamic_ncols=True, **settings)
    # The colon is tqdm's own once a description is changed.
    return _PlainLines(iterable, desc=f"{desc}: ", bar_format="{desc}{percentage:.0f}% " + after_bar, **settings)


def write_line(text: str) -> None:
    """Write one line to stdout, safe for a terminal; bars move below it."""
    tqdm.write(visible(text))


def in_terminal() -> bool:
    """Return whether stderr is a terminal that can overwrite a line.

    IPython gives ``!command`` a terminal of its own, whose cursor codes would be saved in the notebook. Jupyter sets
    JPY_PARENT_PID for kernels, and not for the terminals that it opens.
    """
    return (
        bool(sys.stderr and sys.stderr.isatty())
        and os.environ.get("TERM") != "dumb"
        and "JPY_PARENT_PID" not in os.environ
    )


class _Bar(tqdm):
    """A tqdm bar whose description, such as the name of a file, is safe for a terminal."""

    def set_description(self, desc: str | None = None, refresh: bool | None = True) -> None:
        super().set_description(visible(desc or ""), refresh)


class _PlainLines(_Bar):
    """A bar that writes lines in place of the bar."""

    disable: bool  # which tqdm sets and leaves without a type

    def __init__(self, *args: Any, **settings: Any):
        self._line_time, self._line_n = time.monotonic(), settings.get("initial", 0)
        super().__init__(*args, **settings)

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        seconds = time.monotonic() - self._line_time
        enough = bool(self.total) and self.n - self._line_n >= _SHARE * self.total
        due = seconds >= _LONGEST_S or (enough and seconds >= _SHORTEST_S)
        if due:
            self._write()
        return due

    def clear(self, nolock: bool = False) -> None:
        """Leave the lines that were written: tqdm clears a bar before another line is written."""

    def close(self) -> None:
        if self.disable:
            return
        self.disable = True
        self._decr_instances(self)
        if self.leave and self.n > self._line_n:
            self._write()

    def _write(self) -> None:
        self._line_time, self._line_n = time.monotonic(), self.n
        print(self, file=self.fp, flush=True)
