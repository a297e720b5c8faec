"""The records of a run on a disk that is full, in a name space that needs no rights."""

import subprocess
import sys

import pytest

MOUNTED = 'mount -t tmpfs -o size=400k tmpfs "$0" && exec "$@"'
RUN = """
import contextlib, pathlib, sys, time
from u2u_hf.project import runs
from u2u_hf.records import U2UError

project = pathlib.Path(sys.argv[1])

def ended():
    while (run := runs.find(project, "train")).state == runs.RUNNING:
        time.sleep(0.02)
    return run

def fill():
    with open(project / "filler", "ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1024))

# It fills the disk, and is ended by that: what it says of it finds no room.
fills = "import sys\\nwith open(sys.argv[1], 'ab', buffering=0) as file:\\n while True: file.write(bytes(1024))"
runs.start(project, "train", [sys.executable, "-c", fills, str(project / "filler")])
run = ended()
print(run.state, run.code, run.error)
try:
    runs.start(project, "train", [sys.executable, "-c", "pass"])
except U2UError as error:
    print(error)
print(runs.find(project, "train") == run)  # nothing is half written
print(sorted(path.name for path in (project / ".studio").iterdir() if not path.name.endswith(".lock")))
(project / "filler").unlink()
runs.start(project, "train", [sys.executable, "-c", "print('fine')"])
run = ended()
print(run.state, run.text().strip(), run.disk_full)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="name spaces are of Linux")
def test_a_run_on_a_full_disk(tmp_path):
    on_it = ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNTED, tmp_path]
    command = [*on_it, sys.executable, "-c", RUN, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    full = f"the disk of {tmp_path} is full: make room"
    records = ["train.child.json", "train.ended.json", "train.job.json", "train.json", "train.log"]
    assert done.stdout.splitlines() == [
        f"failed 1 {tmp_path}: {full}",
        f"{tmp_path / '.studio' / 'train.room'}: cannot be written ({full})",
        "True",
        str(records),
        "done fine False",
    ]
