import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
RECIPES = PROJECT / "recipes"


@pytest.fixture(scope="session", autouse=True)
def offline(tmp_path_factory):
    """Nothing in the tests, nor in what they start, may reach beyond this computer or the user's caches."""
    os.environ.update(
        HF_HUB_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_HOME=str(tmp_path_factory.mktemp("hf_home")),
    )


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory):
    """A small demo corpus: four recordings with ELAN files, one new recording, the reference."""
    from u2u_hf.demo.corpus import make_demo_corpus

    folder = tmp_path_factory.mktemp("demo")
    make_demo_corpus(folder, recordings=4, new_recordings=1, turns=6)
    return folder


@pytest.fixture(scope="session")
def recipe():
    """Run a recipe as a user does: ``recipe("prepare.py", "--corpus", …)`` → finished process."""

    def run(name, *arguments, **settings):
        command = [sys.executable, str(RECIPES / name), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, **settings)

    return run
