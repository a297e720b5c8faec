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
    """A Praat with a preferences folder of its own.

    Attributes:
        preferences: that folder.
    """

    def __init__(self, preferences, scratch):
        if not shutil.which("praat"):
            pytest.skip("Praat is not installed")
        self.preferences, self._scratch, self._runs = preferences, scratch, 0

    def run(self, *lines, **settings):
        """Run a script → finished process."""
        self._runs += 1
        script = self._scratch / f"script {self._runs}.praat"
        script.write_text("\n".join([*lines, ""]), encoding="utf-8")
        command = ["praat", f"--pref-dir={self.preferences}", "--run", script]
        environment = os.environ | {"PYTHONPATH": str(PROJECT), "LC_ALL": "C"}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, **settings)

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
