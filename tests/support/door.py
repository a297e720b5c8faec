"""Recipes that our programs start, without importing torch again: `started/sitecustomize.py` hands them over to here.

Quickstart, Studio, the growing of a corpus, a rented computer and the notebook start recipes by ``python …``. Python
then imports our `sitecustomize`, which connects to a socket; a fork of a process that has imported all libraries runs
the recipe. It has another process id than its starter knows, and another process group.
"""

import contextlib
import io
import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
import tempfile
import threading
import traceback
from pathlib import Path

_STARTED = Path(__file__).parent / "started"
_FOLDER = tempfile.TemporaryDirectory(prefix="door_")
# A process can be waited for together with a socket on Linux only; elsewhere each recipe imports its libraries.
_CAN_WAIT = hasattr(os, "pidfd_open")


def opened(forks, run) -> dict[str, str]:
    """Open it → what programs must find in their environment so that recipes come to it.

    Args:
        forks: multiprocessing's context whose server has imported the libraries.
        run: what a fork then runs: `programs.run_here`.
    """
    if not _CAN_WAIT:
        return {}
    address = os.path.join(_FOLDER.name, "door")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        forks.Process(target=_attend, args=(listening, run), daemon=True).start()
    # Other Pythons import other libraries.
    return {"U2U_TESTS_DOOR": f"{sys.prefix}{os.pathsep}{address}"}


def with_started(path: str) -> str:
    """Return a PYTHONPATH with the folder of `sitecustomize`, for environments that tests make themselves."""
    return os.pathsep.join(filter(None, [path, str(_STARTED)]))


def _attend(listening, run) -> None:
    multiprocessing.current_process()._config["daemon"] = False  # recipes may have children
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which end this process
    keepers: set[int] = set()
    while True:
        with contextlib.suppress(OSError):
            caller, _ = listening.accept()
            if not (keeper := os.fork()):
                listening.close()
                _keep(caller, run)
            caller.close()
            keepers.add(keeper)
        keepers -= {pid for pid in keepers if os.waitpid(pid, os.WNOHANG)[0]}


def _keep(caller, run) -> None:
    """Run what a caller asks for, in one more fork; this process passes its signals on, and tells how it ended."""
    try:
        size, streams, *_ = socket.recv_fds(caller, 4, 3)
        request = b""
        while missing := int.from_bytes(size, "big") - len(request):
            part = caller.recv(missing)  # not more: a signal may follow already
            assert part, "the caller was killed"
            request += part
        told = json.loads(request)
        if not (program := os.fork()):
            caller.close()
            _be(told, streams, run)
        for stream in streams:
            os.close(stream)
        ended = os.pidfd_open(program)
        while ended not in (ready := multiprocessing.connection.wait([ended, caller])):
            assert caller in ready
            numbers = caller.recv(64)
            for number in numbers or [signal.SIGKILL]:
                os.kill(program, number)
            if not numbers:
                break
        _, status = os.waitpid(program, 0)
        with contextlib.suppress(OSError):
            caller.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _be(told, streams, run) -> None:
    """Be the program: in this process, which then ends."""
    status, interrupted = 1, False
    try:
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in told["ignored"]:
            signal.signal(number, signal.SIG_IGN)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        encoding = told["environment"].get("PYTHONIOENCODING", "utf-8")
        sys.stdout, sys.stderr = (_writing(number, encoding, told["unbuffered"]) for number in (1, 2))
        run(told["words"], told["cwd"], told["environment"])
        status = 0
    except SystemExit as ending:
        if isinstance(ending.code, str):
            print(ending.code, file=sys.stderr)
        status = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException as problem:
        traceback.print_exc()
        interrupted = isinstance(problem, KeyboardInterrupt)
    finally:
        threading._shutdown()  # waits for the program's threads
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        if interrupted:  # Python ends so
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        os._exit(status & 0xFF)


def _writing(number, encoding, unbuffered):
    binary = open(number, "wb", 0 if unbuffered else -1, closefd=False)  # noqa: SIM115
    by_line = number == 2 or os.isatty(number)
    return io.TextIOWrapper(binary, encoding, line_buffering=by_line, write_through=unbuffered)
