"""What a job of the Hub runs: this project's code, from a private repository of the user's, and the commands in it.

A public address of the project would be simpler, but the code there may differ from the code here, which the user has
tried, and a project that is nowhere public has none.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

from u2u_hf.hub.push import check_push, commit
from u2u_hf.records import U2UError

# What pip needs to install the project, what it installs, and what is launched. Nobody's recordings, settings or notes:
# a user may have put those into any folder of the project.
_PATTERNS = (
    *("pyproject.toml", "README.md", "LICENSE"),
    *("u2u_hf/**/*.py", "u2u_hf/**/*.md", "u2u_hf/**/*.praat", "u2u_hf/py.typed"),
    *("recipes/*.py", "recipes/accelerate/*.yaml"),
)
_NEEDED = {"pyproject.toml", "README.md", "u2u_hf/__init__.py", "recipes/train.py"}
# huggingface_hub's own default for scripts (DEFAULT_UV_IMAGE, 2.4): Debian with Python 3.12 and uv.
IMAGE = "ghcr.io/astral-sh/uv:python3.12-bookworm"
ENVIRONMENT = {
    "UV_TORCH_BACKEND": "auto",  # the torch for the computer's driver, and no CUDA where there is no GPU
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # they rewrite a line, which a log cannot
    "PYTHONUNBUFFERED": "1",  # else the log comes in blocks
}
TOKEN = re.compile(r"hf_[A-Za-z0-9]{30,}")
_MARK = "u2u-hf: ended with exit status "
# The arguments are the code's repository and commit, then the recipe's command. The last line tells a recipe that ended
# from a job that was stopped: SIGTERM reaches the recipe, which saves a checkpoint, and leaves no such line.
_SCRIPT = f"""set -e
stopped=
recipe=
trap 'stopped=yes; if [ "$recipe" ]; then kill -TERM "$recipe" 2>/dev/null || true; else exit 143; fi' TERM
trap 'status=$?; [ "$stopped" ] || echo "{_MARK}$status"' EXIT
echo "u2u-hf: installing the packages, some minutes"
uv venv --quiet env
. env/bin/activate
uv pip install --quiet "huggingface_hub>=2.4,<3"
hf download "$1" --revision "$2" --local-dir u2u-hf --quiet
uv pip install --quiet ./u2u-hf
cd u2u-hf
shift 2
echo "u2u-hf: starting $2"
"$@" &
recipe=$!
while true; do
  status=0
  wait "$recipe" || status=$?
  kill -0 "$recipe" 2>/dev/null || break
done
exit "$status"
"""


def code_files(project: Path) -> dict[str, Path]:
    """Return the files of the project's code that a job needs: path in the project → file.

    Of a git checkout, tracked files only: others are the user's own.

    Raises:
        U2UError: the folder is not the whole project, or a file has a token in it.
    """
    found = sorted({path for pattern in _PATTERNS for path in project.glob(pattern) if path.is_file()})
    files = {path.relative_to(project).as_posix(): path for path in found}
    if (tracked := _tracked(project)) >= _NEEDED:  # not so in an unpacked archive, also one in a user's own repository
        files = {name: path for name, path in files.items() if name in tracked}
    if not files.keys() >= _NEEDED:
        raise U2UError(f"{project}: is not the whole project: run recipes/remote.py where you unpacked or cloned it")
    for path in files.values():
        if TOKEN.search(path.read_text(encoding="utf-8", errors="replace")):
            raise U2UError(f"{path}: has a token in it, which would be uploaded: take it out")
    return files


def _tracked(project: Path) -> set[str]:
    """Return the files that git tracks in a folder, relative to it; none without git or a repository."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=project, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return set()
    return {*listed.decode(errors="replace").split("\0")}


def push_code(files: dict[str, Path], repo_id: str) -> str:
    """Upload the code to a private model repository, made if it is missing; return the commit.

    Files that it has already are not sent again, and files of an older version are deleted.

    Raises:
        U2UError: see `u2u_hf.hub.push.check_push`.
        Exception: raised by the Hub's client; see `u2u_hf.hub.problems.hub_problem`.
    """
    check_push(repo_id, "model")
    pushed = commit(repo_id, "model", files, ["u2u_hf/*", "recipes/*"], "The code for a job", public=False)
    return str(pushed.oid)


def job_command(code_repo: str, revision: str, recipe: str, words: Sequence[str], gpus: int) -> list[str]:
    """Return the command of a job: it installs the code, runs a recipe, and says how that ended.

    Args:
        code_repo: OWNER/NAME of the code on the Hub.
        revision: its commit.
        recipe: file name, such as ``train.py``.
        words: the recipe's arguments.
        gpus: of the job's computer.
    """
    # With more than one GPU, accelerate starts a process for each.
    launcher = ["accelerate", "launch", "--quiet"] if gpus > 1 and recipe == "train.py" else ["python"]
    return ["bash", "-c", _SCRIPT, "u2u-hf", code_repo, revision, *launcher, f"recipes/{recipe}", *words]


def resumes(command: Collection[str]) -> bool:
    """Return whether a job's command, run again, resumes from the last checkpoint.

    Only train.py makes checkpoints, and in stages it does not push them. All else starts from the beginning.
    """
    return "recipes/train.py" in command and "--untranscribed" not in command


def exit_status(line: str) -> int | None:
    """Return the exit status of the recipe if a line of a job's log says that it has ended, else None.

    >>> exit_status("u2u-hf: ended with exit status 1"), exit_status("step 20")
    (1, None)
    """
    number = line.strip().removeprefix(_MARK)
    return int(number) if number != line.strip() and number.isdigit() else None
