"""The end of this process when the program that started it cancels it or ends itself."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

_LOOK_S = 0.3
_CANCELLED = 143  # the exit status of a process that SIGTERM has ended


def end_with_host(tidy: Callable[[], object]) -> None:
    """End this process at once, after `tidy`, when it gets SIGTERM or the program that started it is gone.

    Call it in the main thread before any other thread begins. Python runs signal handlers in the main thread, which may
    be inside a library for seconds; a thread of its own waits for the signal here.

    On Windows there is no SIGTERM: ELAN ends the cmd.exe of the starter, and not what that has started.
    """

    def leave() -> None:
        try:
            tidy()
        finally:
            os._exit(_CANCELLED)

    def wait_for_signal() -> None:
        signal.sigwait(signals)
        leave()

    def watch() -> None:
        while there():
            time.sleep(_LOOK_S)
        leave()

    if hasattr(signal, "pthread_sigmask"):
        signals = {signal.SIGTERM, signal.SIGHUP, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        threading.Thread(target=wait_for_signal, daemon=True).start()
    there = _windows_host() if os.name == "nt" else _parent()
    threading.Thread(target=watch, daemon=True).start()


def _parent() -> Callable[[], bool]:
    first = os.getppid()
    return lambda: os.getppid() == first


def _windows_host() -> Callable[[], bool]:
    """Return whether the starter's cmd.exe still runs; between it and us is the python.exe of a virtual environment."""
    import psutil

    above = psutil.Process().parents()
    shell = next((process for process in above if process.name().lower() == "cmd.exe"), None)
    return shell.is_running if shell else lambda: True
