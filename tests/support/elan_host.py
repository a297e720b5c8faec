"""ELAN, as far as an extension meets it: ElanHost.java beside this file, run with a JDK.

Java splits the command, starts and ends the process, and parses .cmdi files and results; the process has a desktop's
environment: PATH, HOME and the locale C.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("ElanHost.java")
_ESCAPES = {"\\\\": "\\", "\\t": "\t", "\\n": "\n"}


@dataclass
class Parameter:
    """A parameter as ELAN has it after reading a .cmdi file."""

    kind: str
    id: str
    level: str
    type: str
    optional: bool
    info: str
    choices: str
    least: float
    most: float
    standard: float
    text: str


@dataclass
class Entry:
    """An entry of ELAN's menu."""

    info: str
    id: str
    command: str
    folder: str
    help: str
    icon: str
    parameters: list[Parameter] = field(default_factory=list)


@dataclass
class Menu:
    """What ELAN finds in a folder of extensions."""

    entries: dict[str, Entry] = field(default_factory=dict)
    libraries: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass
class Run:
    """A press on Start.

    Attributes:
        result: ``done``, ``failed``, ``cancelled`` or ``unexpected end``.
        lines: of the report window, with the milliseconds since the start.
        bars: percentages of the progress bar, with their texts.
        tiers: name → (start ms, end ms, text) as ELAN's annotations are made from.
        tracks: name → (ms, value, whether the curve begins anew).
        nothing: output parameters whose file ELAN does not load.
        errors: of ELAN when it loads a file.
        made: output parameter → file that ELAN has made beforehand.
        process: number of the process.
        exit: status of the process, or ``still running``, and the milliseconds from the last line or Cancel to its end.
    """

    result: str = ""
    lines: list[tuple[int, str]] = field(default_factory=list)
    bars: list[tuple[int, str]] = field(default_factory=list)
    tiers: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    tracks: dict[str, list[tuple[int, float, bool]]] = field(default_factory=dict)
    nothing: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    made: dict[str, Path] = field(default_factory=dict)
    process: int = 0
    exit: tuple[str, int] = ("", 0)

    @property
    def problem(self) -> str:
        """The line before the last one."""
        return self.lines[-2][1]


class Elan:
    """An ELAN with a folder of extensions.

    Args:
        classes: folder of the compiled ElanHost.
        scratch: folder for temporary files, ELAN's own too.
        java: further arguments of Java.
    """

    def __init__(self, classes: Path, extensions: Path, scratch: Path, java: tuple[str, ...] = ()):
        self.extensions, self._scratch = extensions, scratch
        self._command = [
            "java",
            "-Xshare:auto",
            "-XX:TieredStopAtLevel=1",
            "-Djava.awt.headless=true",
            "-Dfile.encoding=UTF-8",
            f"-Djava.io.tmpdir={scratch}",
            *java,
        ]
        self._command += ["-cp", str(classes), "ElanHost"]

    def menu(self) -> Menu:
        menu = Menu()
        for kind, *fields in self._records("menu", self.extensions):
            if kind == "ENTRY":
                entry = menu.entries[fields[0]] = Entry(*fields)
            elif kind == "PARAMETER":
                entry.parameters.append(
                    Parameter(*fields[:4], fields[4] == "true", *fields[5:7], *map(float, fields[7:10]), fields[10])
                )
            else:
                (menu.libraries if kind == "LIBRARY" else menu.refused).append(fields[0])
        return menu

    def start(self, entry: str, cancel: str = "-", **values: object) -> subprocess.Popen:
        """Press Start, see `run`, and return the host's process; `finished` waits for it."""
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        lines = []
        for name, value in values.items():
            if isinstance(value, list):  # annotations of a tier
                spans = folder / f"{name}.tsv"
                spans.write_text("".join(f"{s}\t{e}\t{text}\n" for s, e, text in value), encoding="utf-8")
                value = f"@{spans}"
            lines.append(f"{name}\t{value}\n")
        (folder / "values").write_text("".join(lines), encoding="utf-8")
        return self._process("run", self.extensions, entry, folder / "values", cancel)

    def run(self, entry: str, cancel: str = "-", **values: object) -> Run:
        """Press Start and wait for the end.

        Args:
            entry: the menu's.
            cancel: press Cancel when the report window shows a line with this text.
            values: parameter → what the user has chosen; a list of (start ms, end ms, text) is a tier.
        """
        return self.finished(self.start(entry, cancel, **values))

    def tiers(self, file: Path) -> Run:
        """Load a file of tiers."""
        return self.finished(self._process("tiers", file))

    def tracks(self, file: Path) -> Run:
        """Load a file of a time series."""
        return self.finished(self._process("tracks", file))

    @staticmethod
    def finished(process: subprocess.Popen, do: Callable[[Run], object] = lambda run: None) -> Run:
        """Wait for a process of `Elan.start` → what happened.

        Args:
            do: called after each record.
        """
        run = Run()
        for kind, *fields in _records(process):
            match kind:
                case "LINE":
                    run.lines.append((int(fields[0]), fields[1]))
                case "BAR":
                    run.bars.append((int(fields[0]), fields[1]))
                case "PROCESS":
                    run.process = int(fields[0])
                case "MADE":
                    run.made[fields[0]] = Path(fields[1])
                case "RESULT":
                    run.result = fields[0]
                case "ENDED":
                    run.exit = fields[0], int(fields[1])
                case "NOTHING":
                    run.nothing.append(fields[0])
                case "ERROR":
                    run.errors.append(fields[1])
                case "TIER":
                    run.tiers[fields[0]] = []
                case "SPAN":
                    run.tiers[fields[0]].append((int(fields[1]), int(fields[2]), fields[3]))
                case "TRACK":
                    run.tracks[fields[0]] = []
                case "POINT":
                    run.tracks[fields[0]].append((int(fields[1]), float(fields[2]), fields[3] == "start"))
            do(run)
        return run

    def help_page(self, html: Path, picture: Path, width: int = 500) -> str:
        """Show a help page as ELAN does, save a picture of it, and return its text."""
        ((_, text),) = self._records("picture", html, width, picture)
        return text

    def _process(self, *words: object) -> subprocess.Popen:
        # Java takes the encoding of file names from the locale.
        environment = os.environ | {"LC_ALL": "C.UTF-8"}
        return subprocess.Popen(
            [*self._command, *map(str, words)], stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment
        )

    def _records(self, *words: object) -> Iterator[list[str]]:
        return _records(self._process(*words))


def _records(process: subprocess.Popen) -> Iterator[list[str]]:
    """Yield the host's records as they come."""
    with process:
        for line in process.stdout:
            fields = line.removesuffix("\n").split("\t")
            yield [re.sub(r"\\.", lambda found: _ESCAPES[found[0]], field) for field in fields]
    assert process.returncode == 0


@pytest.fixture(scope="session")
def elan_classes(tmp_path_factory):
    """The compiled host."""
    if not shutil.which("javac"):
        pytest.skip("there is no JDK")
    folder = tmp_path_factory.mktemp("elan_host")
    subprocess.run(["javac", "-d", folder, SOURCE], check=True)
    return folder


@pytest.fixture
def new_elan(elan_classes, tmp_path):
    """Make an ELAN with an empty folder of extensions: ``new_elan("ELAN 7.0")``."""

    def new(name="ELAN_7-0", java=()):
        extensions = tmp_path / name / "lib" / "app" / "extensions"
        extensions.mkdir(parents=True)
        scratch = tmp_path / f"{name} temporary"
        scratch.mkdir()
        return Elan(elan_classes, extensions, scratch, java)

    return new
