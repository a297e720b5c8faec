"""Debian's Praat without a window: scripts, what they say, and what a TextGrid holds to Praat."""

import csv
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent


class Praat:
    """A Praat of a person with a home folder of their own.

    Attributes:
        preferences: its preferences folder, where plug-ins are.
    """

    def __init__(self, home, scratch):
        if not shutil.which("praat"):
            pytest.skip("Praat is not installed")
        self._scratch, self._runs = scratch, 0
        # Of an environment as a desktop gives it: Python's and ours is in the script that it starts.
        self.environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONPATH": str(PROJECT)}
        version = subprocess.run(["praat", "--version"], capture_output=True, text=True, check=True).stdout
        # From 7 on, scripts start other programs only if the user trusts them.
        self._trust = ["--FULL-TRUST"] if int(re.findall(r"\d+", version)[0]) >= 7 else []
        self.preferences = Path(self.said("writeInfoLine: preferencesDirectory$").strip())
        self.preferences.mkdir(parents=True, exist_ok=True)  # Praat 7 makes it when it starts with a window

    def run(self, *lines, **settings):
        """Run a script → finished process."""
        self._runs += 1
        script = self._scratch / f"script {self._runs}.praat"
        script.write_text("\n".join([*lines, ""]), encoding="utf-8")
        command = ["praat", *self._trust, "--run", script]
        settings = {"env": self.environment, **settings}
        return subprocess.run(command, capture_output=True, text=True, check=False, **settings)

    def said(self, *lines, **settings):
        """Run a script that must succeed → what it wrote to the Info window."""
        done = self.run(*lines, **settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def problem(self, *lines, **settings):
        """Run a script that must fail → what a user sees in Praat's window."""
        done = self.run(*lines, **settings)
        assert done.returncode != 0, done.stdout
        [message] = re.findall(r"Error: (.*?)\nScript ", done.stderr, re.DOTALL)
        return message

    def command(self, objects, title):
        """The script that a menu command runs, as Praat itself names it.

        Args:
            objects: lines that open and select them.
            title: of the command, without its three dots.
        """
        message = self.problem(*objects, f"{title}: 1")
        [name] = re.findall(r'runScript: preferencesDirectory\$ \+ "/(.*)", \.\.\.', message)
        return self.preferences / name

    def rows(self, textgrid):
        """What Praat reads in a TextGrid: (tier, start, text, end) of each interval, empty ones too."""
        table = self._scratch / "table.tsv"
        self.said(
            f"Read from file: {quoted(textgrid)}",
            'Down to Table: "no", 6, "yes", "yes"',
            f"Save as tab-separated file: {quoted(table)}",
        )
        with open(table, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        return [(row["tier"], row["tmin"], row["text"], row["tmax"]) for row in rows]


def quoted(path):
    """A path as a string of Praat's language."""
    assert "'" not in str(path)
    return '"' + str(path).replace('"', '""') + '"'
