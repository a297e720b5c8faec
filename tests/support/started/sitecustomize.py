"""Imported by every Python that tests start: a recipe, whoever starts it, then runs in a fork of `support.door`.

This process hands over its arguments, directory, environment and open streams, passes on the signals that it gets, and
ends as the fork ends. If it is killed, so is the fork.
"""

import os
import sys


def _recipe():
    """The words of the command from the recipe, or its launcher, on, and whether Python is not to buffer its output."""
    words = sys.orig_argv[1:]
    unbuffered = words[:1] == ["-u"]
    words = words[unbuffered:]
    folder, name = os.path.split(os.path.abspath(words[0])) if words else ("", "")
    is_recipe = name.endswith(".py") and os.path.basename(folder) == "recipes"
    # The launcher imports torch too, only to start a recipe with more in its environment.
    is_launcher = words[:2] == ["-m", "accelerate.commands.launch"] or (
        words[1:2] == ["launch"] and os.path.join(folder, name) == os.path.join(sys.prefix, "bin", "accelerate")
    )
    return (words, unbuffered) if is_recipe or is_launcher else None


def _run_behind(door, words, unbuffered):
    import json
    import signal
    import socket

    passed_on = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM}
    ignored = [number for number in passed_on if signal.getsignal(number) == signal.SIG_IGN]
    told = {
        "words": words,
        "unbuffered": unbuffered or bool(os.environ.get("PYTHONUNBUFFERED")),
        "cwd": os.getcwd(),
        "environment": dict(os.environ),
        "ignored": ignored,
    }
    request = json.dumps(told).encode()
    signal.pthread_sigmask(signal.SIG_BLOCK, passed_on)
    with socket.socket(socket.AF_UNIX) as behind:
        try:
            behind.connect(door)
        except OSError:  # the tests have ended
            signal.pthread_sigmask(signal.SIG_UNBLOCK, passed_on)
            return
        socket.send_fds(behind, [len(request).to_bytes(4, "big")], [0, 1, 2])
        behind.sendall(request)
        for number in passed_on - set(ignored):
            signal.signal(number, lambda number, frame: behind.sendall(bytes([number])))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, passed_on)
        status = int.from_bytes(behind.recv(4), "big", signed=True)
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


_python, _, _door = os.environ.get("U2U_TESTS_DOOR", "").partition(os.pathsep)
if _python == sys.prefix and (_found := _recipe()):
    _run_behind(_door, *_found)
