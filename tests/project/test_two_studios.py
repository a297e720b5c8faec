"""Two servers on one project."""

import subprocess
import sys
import time

from u2u_hf.project import runs

OTHER = """
import pathlib, sys
from u2u_hf.project import runs
from u2u_hf.records import U2UError

project = pathlib.Path(sys.argv[1])
print(runs.find(project, "train").state)
try:
    runs.start(project, "train", [sys.executable, "-c", "pass"])
except U2UError as error:
    print(error)
runs.stop(project, "train")
"""


def test_what_one_has_started_the_other_sees_and_stops(tmp_path):
    begun = runs.start(tmp_path, "train", [sys.executable, "-c", "import time; time.sleep(60)"])
    other = subprocess.run([sys.executable, "-c", OTHER, tmp_path], capture_output=True, text=True, check=True)
    assert other.stdout.splitlines() == ["running", "train: is running already: stop it first, or let it end"]
    deadline = time.monotonic() + 20
    while (run := runs.find(tmp_path, "train")).state == runs.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert (run.state, run.began) == (runs.STOPPED, begun.began)
