import contextlib
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from huggingface_hub import constants

from fuzz.damage import damaged
from fuzz.guard import Bait, Guard
from u2u_hf.records import U2UError

TESTS = 7  # that share the minutes
_LONGEST_LINE = 300  # characters of an error, without the folder's name
_MEMORY = 6 * 2**30  # bytes more than the process has


def pytest_addoption(parser):
    parser.addoption(
        "--fuzz_minutes",
        type=float,
        default=0.0,
        help="damage files for so many minutes, in all tests together",
    )


@pytest.fixture(scope="session")
def guard():
    return Guard()


@pytest.fixture(scope="session")
def seconds(request):
    """How long each test goes on, or 0 for the few examples of the suite."""
    return 60 * request.config.getoption("fuzz_minutes", 0.0) / TESTS


@pytest.fixture
def report(request, seconds):
    """Print the count of a long run."""

    def line(text):
        if seconds:
            with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
                print(f"\n{request.node.name}: {text}", flush=True)

    return line


@pytest.fixture
def numbers(seconds):
    """Count the examples: as many as the suite has time for, or as long as asked for."""

    def count(examples):
        end = time.monotonic() + seconds
        number = 0
        while time.monotonic() < end if seconds else number < examples:
            yield number
            number += 1

    return count


class Findings:
    """What broke the promise, each kind of it once.

    Attributes:
        tally: how many examples ended in which way.
    """

    def __init__(self, guard, bait, report):
        self._guard, self._bait, self._report = guard, bait, report
        self._found = {}
        self.tally = Counter()
        self._slowest = (0.0, "")

    def hold(self, use, name, folder):
        """Call `use`, and note what it must not do. Return whether it kept the promise."""
        begun = time.monotonic()
        before = len(self._found)
        with self._guard.watching(folder, tempfile.gettempdir(), constants.HF_HOME) as outside:
            try:
                use()
                self.tally["read"] += 1
            except U2UError as error:
                self.tally["refused"] += 1
                line = str(error).replace(str(folder), "")
                if len(line.splitlines()) != 1 or len(line) > _LONGEST_LINE:
                    self._note(f"a message that is not one line of {_LONGEST_LINE} characters", name, line[:2000])
            except Exception as error:
                frames = traceback.extract_tb(error.__traceback__)
                own = [f for f in frames if "u2u_hf" in f.filename or "spaces" in f.filename] or frames
                what = f"{type(error).__name__} from {Path(own[-1].filename).name}:{own[-1].lineno}"
                self._note(what, name, "".join(traceback.format_exception(error))[-3000:])
        for deed in outside:
            self._note(f"outside: {deed.replace(str(folder), '')}", name, "")
        if deed := self._bait.taken():
            self._note(f"outside: {deed}", name, "")
            self._bait.reset()
        self._slowest = max(self._slowest, (time.monotonic() - begun, name))
        return len(self._found) == before

    def _note(self, what, name, detail):
        self.tally["broken promises"] += 1
        if what not in self._found:
            self._report(f"{what}: {name[:200]}")
            self._found[what] = f"{what}: {name}\n{detail}"

    def __str__(self):
        counts = ", ".join(f"{count} {outcome}" for outcome, count in self.tally.items())
        return f"{counts}; slowest {self._slowest[0]:.1f} s: {self._slowest[1]}"

    def require_none(self):
        assert not self._found, "\n\n".join(self._found.values())


@pytest.fixture(autouse=True)
def _reachable(monkeypatch):
    """Whoever asks the Hub is not stopped before the guard notices, and goes nowhere."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


@pytest.fixture
def bait(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    bait = Bait(folder)
    yield bait
    bait.close()


@pytest.fixture
def findings(guard, bait, report):
    found = Findings(guard, bait, report)
    with _little_memory():
        yield found
    report(found)


@contextlib.contextmanager
def _little_memory():
    """A size that a damaged file makes up is an error here, before the computer stands still."""
    if sys.platform != "linux":
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + _MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture
def fuzz(tmp_path, numbers, bait, findings, monkeypatch):
    """Damage files, each in a folder of its own, and hold their reader to its promise.

    ``fuzz(use, victims, beside, words, examples)``: `use` gets the folder and the name of the damaged file in it, and
    may raise U2UError; `victims` is name → content of the files to damage, `beside` a folder with the files beside
    them. What broke the promise stays in the test's temporary folder.
    """

    def run(use, victims, beside=None, words=(), examples=100):
        others = [path.relative_to(beside) for path in beside.rglob("*") if path.is_file()] if beside else []
        contents = list(victims.values())
        (tmp_path / "temporary").mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
        for number in numbers(examples):
            random = Random(number)
            name = random.choice(list(victims))
            folder = tmp_path / str(number)
            for file in others:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                os.link(beside / file, folder / file)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).unlink(missing_ok=True)
            content = damaged(victims[name], random.choice(contents), (*words, *bait.words), random)
            (folder / name).write_bytes(content)
            if findings.hold(lambda folder=folder, name=name: use(folder, name), f"{number}/{name}", folder):
                shutil.rmtree(folder)
        findings.require_none()

    return run
