"""Folders that take long to make, made once for all test processes of a session."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def shared_folder(tmp_path_factory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that the first test process that asks for it makes; the others wait for it.

    Tests only read it: what one of them changed would be changed for those of the other processes, at any moment.

    Args:
        make: fills the empty folder that it is given.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each process has a folder of its own in the session's
        root = root.parent
    folder, whole = root / f"shared_{name}", root / f"{name}_is_whole"
    with FileLock(root / f"{name}.lock"):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a process that failed
            folder.mkdir()
            make(folder)
            whole.touch()
    return folder
