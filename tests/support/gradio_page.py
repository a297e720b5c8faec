"""The Gradio page, started as visitors have it, and asked."""

import contextlib
import os
import re
import subprocess
import sys
import time

import psutil
from conftest import PROJECT
from gradio_client import handle_file

APP = PROJECT / "spaces" / "transcribe" / "app.py"
OPTIONS = {"sensitivity": 0.5, "longest": 20, "all_channels": True, "with_letters": False}


@contextlib.contextmanager
def serving(folder, *arguments, **environment):
    """The app in a process of its own → its address and the process."""
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(folder), **environment}
    command = [sys.executable, "-u", str(APP), *map(str, arguments)]
    with open(folder / "log", "w+") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
        try:
            deadline = time.monotonic() + 120
            while not (found := re.search(r"http://127\.0\.0\.1:\d+", (folder / "log").read_text())):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield found[0], psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(20)


def ask(client, *files):
    """Submit files → the job; its result is the status, what is shown, and the downloads."""
    return client.submit(files=[handle_file(file) for file in files], recorded=None, **OPTIONS, api_name="/transcribe")
