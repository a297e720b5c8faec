"""Every supported Python at hand compiles all of the library and prepares a corpus with its light half."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

import pytest
from conftest import PROJECT
from support.eaf_text import aligned, document, slots, tier

OLDEST = int(distribution("u2u-hf").metadata["Requires-Python"].removeprefix(">=3."))


def answering():
    """Return the interpreters on the path that answer, by name; this one is always among them."""
    found = {f"python3.{sys.version_info[1]}": sys.executable}
    for minor in range(OLDEST, OLDEST + 10):
        name = f"python3.{minor}"
        path = shutil.which(name)
        # A version manager's shim is there for versions that it does not let run here.
        if path and not subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode:
            found.setdefault(name, path)
    return found


PREPARE = """
import json, sys
from u2u_hf import browser
settings = {"corpus": sys.argv[1]}
files = {f"s{i}.wav": {"channels": 1, "duration_ms": 9000} for i in range(3)}
print(browser.prepare(json.dumps({"settings": settings, "files": files, "energies": {}})))
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for i in range(3):
        header = f'<HEADER><MEDIA_DESCRIPTOR MEDIA_URL="file:///s{i}.wav" MIME_TYPE="audio/x-wav"/></HEADER>'
        said = aligned("a1", "ts1", "ts2", f"ñuu {'abc'[i]}")
        text = document(slots(ts1=500, ts2=2000), tier("transcription", said), header=header)
        (folder / f"s{i}.eaf").write_text(text, encoding="utf-8")
        (folder / f"s{i}.wav").touch()
    return folder


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A folder with the two packages that the light half needs; they are Python alone, for any version."""
    folder = tmp_path_factory.mktemp("packages")
    installed = Path(sysconfig.get_paths()["purelib"])
    for name in ("pympi", "tqdm"):
        (folder / name).symlink_to(installed / name, target_is_directory=True)
    return folder


def run(python, packages, *arguments):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), str(packages)])}
    command = [python, "-S", "-B", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.mark.parametrize("python", answering().values(), ids=answering().keys())
def test_the_light_half_prepares_a_corpus(python, corpus, packages):
    done = run(python, packages, "-X", "utf8", "-c", PREPARE, corpus)
    assert done.returncode == 0, done.stderr
    splits = json.loads(done.stdout)["splits"]
    assert sorted(row["text"] for rows in splits.values() for row in rows) == ["ñuu a", "ñuu b", "ñuu c"]


@pytest.mark.parametrize("python", answering().values(), ids=answering().keys())
def test_all_of_the_library_compiles(python, packages):
    code = "import sys; [compile(open(path, encoding='utf-8').read(), path, 'exec') for path in sys.argv[1:]]"
    sources = [path for folder in ("u2u_hf", "recipes", "spaces") for path in (PROJECT / folder).rglob("*.py")]
    done = run(python, packages, "-c", code, *sources)
    assert done.returncode == 0, done.stderr
