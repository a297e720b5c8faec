"""Studio, started as a person starts it."""

import contextlib
import os
import re
import subprocess
import sys
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

from conftest import RECIPES

from support import programs


class Studio:
    """A running Studio: its address, its log, and requests as any program on the computer can send them."""

    def __init__(self, address, process, log):
        self.address, self.process, self.log = address, process, log
        parts = urlsplit(address)
        self.port, self.secret = parts.port, parts.query.removeprefix("secret=")

    def ask(self, path, method="GET", cookie=None, **headers):
        """Send a request → status, headers and body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if cookie is not None:
            headers["Cookie"] = f"studio_{self.port}={cookie}"
        connection.request(method, path, headers={"Host": f"127.0.0.1:{self.port}"} | headers)
        answer = connection.getresponse()
        body = answer.read().decode("utf-8", "replace")
        connection.close()
        return answer.status, answer.headers, body


@contextlib.contextmanager
def running(folder, *arguments, before=(), **environment):
    """Run recipes/studio.py until the block ends; `before`: words of a program that runs it."""
    programs.open_door()
    folder.mkdir(parents=True, exist_ok=True)
    command = [*before, sys.executable, "-u", str(RECIPES / "studio.py"), "--no_browser", *map(str, arguments)]
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), **environment}
    with open(folder / "log", "w+") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
        try:
            deadline = time.monotonic() + 120
            while not (found := re.search(r"^Studio: (http://127\.0\.0\.1:\d+/\?secret=\S+)$", text(folder), re.M)):
                assert process.poll() is None, text(folder)
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield Studio(found[1], process, folder / "log")
        finally:
            process.terminate()
            process.wait(20)


def text(folder):
    return (folder / "log").read_text(encoding="utf-8")
