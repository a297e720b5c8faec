"""The folder of the uploads: made for this page alone, and rid of uploads that broke off.

Gradio deletes what was uploaded whole. Of an upload whose connection broke it forgets the part that arrived, and for
each upload it leaves an empty file (6.31, route_utils.GradioMultiPartParser and components/file.py).
"""

import atexit
import contextlib
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

import gradio as gr

_PAUSE_SECONDS = 600


def make_folder() -> None:
    """Give Gradio a new folder, in GRADIO_TEMP_DIR if that is set, until the page ends.

    Gradio's default folder can be read by every user of this computer.
    """
    parent = os.environ.get("GRADIO_TEMP_DIR") or None
    if parent:
        os.makedirs(parent, exist_ok=True)
    os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp(prefix="speech-to-elan-", dir=parent)
    atexit.register(shutil.rmtree, os.environ["GRADIO_TEMP_DIR"], ignore_errors=True)


def delete_broken(folder: Path, older_than_s: float) -> None:
    """Delete uploads that never became whole and have not grown for so many seconds.

    They lie in the folder itself, whole ones in folders of their own.
    """
    latest = time.time() - older_than_s
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # whole in the meantime, or deleted by Gradio
            if path.is_file() and path.stat().st_mtime < latest:
                path.unlink()


def delete_broken_regularly(older_than_s: float) -> None:
    """Start a thread that deletes broken uploads as long as the page runs."""

    def run() -> None:
        while True:
            time.sleep(_PAUSE_SECONDS)
            with contextlib.suppress(OSError):
                delete_broken(Path(gr.utils.get_upload_folder()), older_than_s)

    threading.Thread(target=run, daemon=True).start()
