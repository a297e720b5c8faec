"""One `npm ci` for all tests of the pages."""

import os
import shutil
import subprocess
from pathlib import Path

CI = ("npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")


def install(template: Path, folder: Path) -> None:
    """Install the template's packages, for the pages and for their lint, into the folder's node_modules."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(template / name, folder)
    run = subprocess.run(CI, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def path_with_npm_of(installed: Path, folder: Path) -> str:
    """Return a PATH whose `npm ci` links the packages of `install`, for builds of the page in this test session.

    `npm ci` as the library runs it is tested in tests/publishing/test_deploy.py.
    """
    script = folder / "npm"
    script.write_text(f'#!/bin/sh\n[ "$1" = ci ] && ln -s "{installed / "node_modules"}" node_modules\n')
    script.chmod(0o755)
    return os.pathsep.join([str(folder), os.environ["PATH"]])
