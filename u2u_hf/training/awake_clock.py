"""A clock that stands still while the computer sleeps."""

from __future__ import annotations

import functools
import threading
import time
import weakref
from collections.abc import Callable

_BEAT_S = 1.0
# A busy computer lets a thread wait for seconds; a sleep that is shorter than this counts as work.
_LONGEST_BEAT_S = 20.0


class AwakeClock:
    """Seconds since 1970, without those that the computer slept, or that this process was stopped, from now on.

    A time budget is for work. By hand, because no clock of Python does this everywhere: `time.monotonic` counts the
    sleep on Windows, and a stop (SIGSTOP) on all systems. A thread looks at the time each second; where a look comes
    much later, there was no work in between.

    Attributes:
        slept: seconds so far.
    """

    def __init__(self, now: Callable[[], float] = time.time):
        self.slept = 0.0
        self._now, self._last = now, now()
        self._lock = threading.Lock()
        threading.Thread(target=_beat, args=(weakref.ref(self),), daemon=True).start()

    def __call__(self) -> float:
        with self._lock:  # whoever asks first after the sleep notices it
            now = self._now()
            if now - self._last > _LONGEST_BEAT_S:
                self.slept += now - self._last - _BEAT_S
            self._last = now
            return now - self.slept


@functools.cache
def awake_clock() -> AwakeClock:
    """Return the clock of this process: what a run does before, between and after its trainings counts alike."""
    return AwakeClock()


def _beat(clock: weakref.ref[AwakeClock]) -> None:
    while (found := clock()) is not None:
        found()
        del found
        time.sleep(_BEAT_S)
