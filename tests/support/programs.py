"""Python programs in processes of their own, which need not import torch again each time.

Most tests of a recipe start it as a user does, some 200 times in all, and each start spends seven seconds on importing
libraries. multiprocessing's fork server imports them once and forks a new process for each program. Hugging Face's read
their environment (HF_HOME, HF_ENDPOINT, …) when they are imported: a program with another one imports them anew.
Recipes that our own programs start come to the same imported libraries through `door`.
"""

import atexit
import contextlib
import multiprocessing
import os
import runpy
import socket
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import pyarrow

from support import door

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["support.preloaded"])
# What is imported again in another environment, and the beginnings of the variables that it or Python reads then.
_READERS = {"u2u_hf", "huggingface_hub", "datasets", "transformers", "accelerate", "evaluate", "support"}
_READERS |= {"gradio", "gradio_client"}
_door_is_open = False
_READ = ("HF_", "HUGGING", "TRANSFORMERS_", "XDG_CACHE_HOME")


def run(arguments, cwd=None, env=None) -> subprocess.CompletedProcess:
    """Run ``python …`` to its end → exit status and what it wrote, as `subprocess.run` with captured text gives them.

    Args:
        arguments: a file, ``-m`` and a module, or ``-c`` and code; then the program's arguments.
        cwd: the working directory; this one by default.
        env: the whole environment; this process's by default.
    """
    return _finished(arguments, [dict(env or os.environ)], cwd)


def divided(arguments, processes) -> subprocess.CompletedProcess:
    """Run a recipe in several processes that share its work, as ``torchrun --nproc_per_node N`` starts them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ours = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
    each = [ours | {"RANK": rank, "LOCAL_RANK": rank} for rank in range(processes)]
    return _finished(arguments, [os.environ | {name: str(value) for name, value in e.items()} for e in each])


def _finished(arguments, environments, cwd=None) -> subprocess.CompletedProcess:
    """Run a program once in each environment, all at the same time; the exit status is the first that is not 0."""
    with tempfile.TemporaryDirectory(prefix="program_") as folder:
        written = [Path(folder, name) for name in ("stdout", "stderr")]
        started = [start(arguments, *written, cwd, environment) for environment in environments]
        for process in started:
            process.join()
        stdout, stderr = (path.read_text(encoding="utf-8") for path in written)
    status = next((process.exitcode for process in started if process.exitcode), 0)
    return subprocess.CompletedProcess(arguments, status, stdout, stderr)


def start(arguments, stdout, stderr, cwd=None, env=None):
    """Start what `run` runs, which writes to two files or to one → its `multiprocessing.Process`."""
    open_door()
    settings = [*map(str, arguments)], str(stdout), str(stderr), str(cwd or os.getcwd()), dict(env or os.environ)
    process = _FORKS.Process(target=_main, args=settings, daemon=True)
    with _path_of_tests():
        process.start()
    return process


@contextlib.contextmanager
def _path_of_tests():
    """Let the fork server, which the first process starts, find `support.preloaded`: it does not get our path."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), before]))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _read(environment) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_READ)}


def _forget_readers() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in _READERS]:
        del sys.modules[name]
    for dimensions in range(2, 6):  # which `datasets` registers, and pyarrow refuses to register again
        pyarrow.unregister_extension_type(f"datasets.features.features.Array{dimensions}DExtensionType")
    warnings.filterwarnings("ignore", "A filesystem protocol was already set")  # by the same library


def _main(arguments, stdout, stderr, cwd, environment) -> None:
    multiprocessing.current_process()._config["daemon"] = False  # only the tests end it; it may have children
    for number, path in ((1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    run_here(arguments, cwd, environment)


def run_here(arguments, cwd, environment) -> None:
    """Be the program in this process, a fork that has imported the libraries."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    if _read(environment) != _read(sys.modules["support.preloaded"].BEFORE):
        _forget_readers()
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    try:
        if arguments[0] == "-c":
            sys.argv = ["-c", *arguments[2:]]
            sys.path.insert(0, "")
            exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})
        elif arguments[0] == "-m":
            sys.argv = arguments[1:]
            sys.path.insert(0, os.getcwd())
            sys.modules.pop(arguments[1], None)  # the libraries' fork server has imported it
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
            sys.path.insert(0, os.path.dirname(arguments[0]))
            runpy.run_path(arguments[0], run_name="__main__")
    finally:
        atexit._run_exitfuncs()  # a child of multiprocessing ends without them


def open_door() -> None:
    """Let recipes that other programs start run without importing torch again, see `door`."""
    global _door_is_open
    if not _door_is_open:
        with _path_of_tests():
            environment = door.opened(_FORKS, run_here)
        if environment:
            os.environ |= environment | {"PYTHONPATH": door.with_started(os.environ.get("PYTHONPATH", ""))}
        _door_is_open = True


def succeeded(command, processes=1):
    """Run a program to its end, as so many processes, and return what it wrote; it must not fail."""
    done = run(command) if processes == 1 else divided(command, processes)
    assert done.returncode == 0, done.stderr
    return done
