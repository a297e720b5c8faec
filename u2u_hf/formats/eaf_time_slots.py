"""The time slots of an ELAN file, some of them moved and some new; ELAN keeps them in order of time."""

from __future__ import annotations

import re
from collections.abc import Sequence

from u2u_hf.formats.eaf_layout import Element, Layout

_TIME_VALUE = re.compile(r"""(TIME_VALUE\s*=\s*)(["'])[0-9]*\2""")


class TimeSlots:
    """The slots of a file.

    Args:
        times: of the slots, in ms, in the order of the file; None where a slot has none.
    """

    def __init__(self, layout: Layout, times: Sequence[int | None]):
        self._layout = layout
        self._elements = {e.attributes["TIME_SLOT_ID"]: e for e in layout.all("TIME_SLOT")}
        ids = [e.attributes["TIME_SLOT_ID"] for e in layout.all("TIME_SLOT")]
        self._times = dict(zip(ids, times, strict=True))
        self._moved: dict[str, int] = {}
        self._new: list[tuple[str, int]] = []
        self._last = layout.highest("ts")

    def __len__(self) -> int:
        return len(self._elements)

    def has_time(self, name: str) -> bool:
        """Return whether a slot has a time of its own."""
        return "TIME_VALUE" in self._elements[name].attributes

    def move(self, name: str, time_ms: int) -> None:
        """Give another time to a slot that has one."""
        self._moved[name] = time_ms

    def add(self, time_ms: int) -> str:
        """Return the name of a new slot."""
        self._last += 1
        self._new.append((f"ts{self._last}", time_ms))
        return f"ts{self._last}"

    def place(self) -> None:
        """Write the moved and the new slots into the layout, where they belong by their times."""
        fixed: list[tuple[int, Element]] = []
        latest = -1
        for name, element in self._elements.items():
            if name not in self._moved:
                latest = max(latest, -1 if (time := self._times[name]) is None else time)
                fixed.append((latest, element))
        ends: dict[int, list[tuple[int, bytes]]] = {}
        for name, time in self._moved.items():
            element = self._elements[name]
            text = _TIME_VALUE.sub(rf"\g<1>\g<2>{time}\g<2>", self._layout.text(element))
            space = self._layout.data[self._layout.space_before(element) : element.start]
            self._layout.remove(element)
            ends.setdefault(self._end(fixed, time), []).append((time, space + self._layout.written(text)))
        for name, time in self._new:
            text = f'\n        <TIME_SLOT TIME_SLOT_ID="{name}" TIME_VALUE="{time}"/>'
            ends.setdefault(self._end(fixed, time), []).append((time, self._layout.written(text)))
        for at, rows in ends.items():
            self._layout.replace(at, at, b"".join(data for _, data in sorted(rows, key=lambda row: row[0])))

    def _end(self, fixed: Sequence[tuple[int, Element]], time_ms: int) -> int:
        """Return the byte at which the last of these slots that is not later than a time ends."""
        before = [element for latest, element in fixed if latest <= time_ms]
        return before[-1].end if before else self._layout.inner_start(self._layout.all("TIME_ORDER")[0])
