"""Push folders to the Hugging Face Hub, private unless the user gives --public."""

from __future__ import annotations

import glob
import os
import re
import shlex
import stat
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import CommitInfo, CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.utils import filter_repo_objects

from u2u_hf import output_folder, written_files
from u2u_hf.hub.problems import in_one_line, is_full, log_in
from u2u_hf.model_folder import BEST, CALIBRATION, LANGUAGE_MODEL, LAST, MODEL, ONNX, belongs
from u2u_hf.progress_bar import write_line
from u2u_hf.records import U2UError
from u2u_hf.settings import setting

# Files that are pushed, by repo type; for a Space all that `deploy.build` wrote.
BELONGING = {
    "model": MODEL,
    "dataset": (
        *(f"data/{split}-{'[0-9]' * 5}-of-{'[0-9]' * 5}.parquet" for split in ("train", "validation", "test")),
        *("README.md", "LICENSE", "LICENSE.md", "LICENSE.txt"),
        *("report.json", "report.html", "prepare.yaml", "splits.csv"),
    ),
    "space": None,
}
# Files of our own recipes that are not pushed, without a message: patterns of the Hub's client.
_LEFTOVERS = ("*.part", "checkpoint-*", "runs/*", "training_args.bin", "*__pycache__/*")
_TRIES = 5  # to commit, while others commit to the same repo
# Files of earlier pushes that are deleted, because they would be read together with new ones: shards of another count,
# an old ONNX file. If a folder has no match for the first pattern, the source of all others, only the patterns that it
# has a match for are used.
REPLACED = {
    "dataset": ["data/*"],
    "space": ["*"],
    "model": [
        "*.safetensors",
        "*.safetensors.index.json",
        *(f"{name}/*" for name in (ONNX, LANGUAGE_MODEL, LAST, BEST)),
        CALIBRATION,
    ],
}


@dataclass
class Push:
    """Where a recipe pushes its result. Not saved with the other settings, so that a copy of them does not push."""

    push_to: str = setting("", help="push the result to OWNER/NAME on the Hugging Face Hub, private")
    public: bool = setting(False, help="with --push_to: let everybody read it")

    def __post_init__(self):
        if self.public and not self.push_to:
            raise U2UError("--public needs --push_to OWNER/NAME: give that too")


def check_push(repo_id: str, repo_type: str, public: bool = False, space_sdk: str | None = None) -> bool:
    """Return whether the repo is private, if a push will be accepted; call it before the work whose result is pushed.

    No file is sent. Creates the repo if it is missing, private unless `public`: for some tokens only this shows whether
    they may write.

    Args:
        repo_id: OWNER/NAME.
        repo_type: model, dataset or space.
        space_sdk: for a new Space: gradio, static…

    Raises:
        U2UError: no valid token, or one that may not write there, no network, an invalid name, or the repo is public
            and `public` is not set.
    """
    return _open(repo_id, repo_type, public, space_sdk)


def push_folder(folder: Path, repo_id: str, repo_type: str, public: bool = False, space_sdk: str | None = None) -> str:
    """Upload the files of a model, dataset or Space in a folder (`BELONGING`) and return the address of its page.

    Links, hidden and other files are not sent; a message counts them. A private repo stays private, also with `public`.
    A push that was stopped resumes when it is run again.

    Raises:
        U2UError: as `check_push`, before a byte is sent; no file in the folder belongs to a repo of this type; the
            upload fails; or the repo was made public in the meantime.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise U2UError(f"{folder}: there is no such folder to push")
    files, others = _belonging(folder, repo_type)
    if not files:
        raise U2UError(f"{folder}: holds no file of a {repo_type} that could be pushed; links are not followed")
    private = _open(repo_id, repo_type, public, space_sdk)
    if public and private:
        write_line(f"! {repo_id} is private and stays private: change that on its page if you want to")
    if others:
        named = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
        write_line(f"! {folder}: not pushed, because links or not part of a {repo_type}: {len(others)} ({named})")
    replaced = _replaced(files, repo_type)
    if repo_type == "space":  # its folder may be a temporary one
        advice = "; run the same command again: it resumes"
    else:
        later = _later(folder, repo_id, repo_type, public, files, replaced)
        advice = f"; the result is in {folder}; to push it later: {later}"
    with in_one_line(f"{repo_id}: cannot be pushed to", "write", advice):
        return str(commit(repo_id, repo_type, files, replaced, "Upload with u2u-hf", public).repo_url)


def commit(
    repo_id: str, repo_type: str, files: Mapping[str, Path], delete: Sequence[str], message: str, public: bool
) -> CommitInfo:
    """Upload files and commit them together; files that the repo has already are not sent again.

    Checks that the repo is private before the first byte and again right before the commit. If others commit to the
    repo in the meantime, the commit is made again on top of theirs.

    Args:
        files: path in the repo → file here.
        delete: patterns of files in the repo that the commit deletes, unless `files` replaces them.
        public: whether the repo may be public.

    Raises:
        U2UError: the repo is public and `public` is not set, or others keep committing.
        Exception: raised by the Hub's client; see `u2u_hf.hub.problems.hub_problem`.
    """
    api = HfApi()
    for attempt in range(_TRIES):
        parent = _info(repo_id, repo_type, public).sha
        additions = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=path) for name, path in files.items()]
        api.preupload_lfs_files(repo_id, additions, repo_type=repo_type, free_memory=False)
        there = api.list_repo_files(repo_id, repo_type=repo_type, revision=parent) if delete else []
        gone = set(filter_repo_objects(there, allow_patterns=list(delete))) - {".gitattributes", *files}
        deletions = [CommitOperationDelete(path_in_repo=name, is_folder=False) for name in sorted(gone)]
        # preupload_lfs_files compared the files with this parent, so the commit must be on top of it.
        if _info(repo_id, repo_type, public).sha == parent:
            try:
                return api.create_commit(
                    repo_id,
                    [*deletions, *additions],
                    commit_message=message,
                    repo_type=repo_type,
                    parent_commit=parent,
                )
            except HfHubHTTPError as error:
                if error.response.status_code not in (409, 412):  # being committed to; committed to since
                    raise
        time.sleep(attempt)
    raise U2UError(f"{repo_id}: others keep writing to it: try again later")


def regular_files(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the regular files in and below a folder, and the other paths, mostly links. Hidden ones are ignored.

    The folder itself may be a link; links in it are not followed.

    Returns:
        path in the folder, its parts separated by ``/`` → file, in order; and the paths that are no regular files.
    """
    top = os.path.realpath(folder)
    files, others = {}, []
    for here, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in (*folders, *sorted(name for name in names if not name.startswith("."))):
            path = os.path.join(here, name)
            relative = Path(path).relative_to(top).as_posix()
            # Windows has several kinds of links, and islink does not recognise all of them.
            linked = os.path.islink(path) or os.path.realpath(path) != path
            if not linked and stat.S_ISREG(os.lstat(path).st_mode):
                files[relative] = Path(path)
            elif linked or name not in folders:
                others.append(relative)
        folders[:] = [name for name in folders if Path(here, name).relative_to(top).as_posix() not in others]
    return files, others


def _belonging(folder: Path, repo_type: str) -> tuple[dict[str, Path], list[str]]:
    """Return the files of a folder that are pushed, and the other paths except known leftovers."""
    found, others = regular_files(folder)
    patterns = BELONGING[repo_type]
    if patterns is not None:
        files = {name: path for name, path in found.items() if belongs(name, patterns)}
    else:
        known = set(found) - set(filter_repo_objects(found, allow_patterns=list(_LEFTOVERS)))
        if output_folder.made_by(folder) == "deploy.py":  # a person may have added files
            top = Path(os.path.realpath(folder))
            known = {name for name in known if written_files.wrote(top, found[name])}
        files = {name: path for name, path in found.items() if name in known}
    others += found.keys() - files.keys()
    return files, sorted(filter_repo_objects(others, ignore_patterns=list(_LEFTOVERS)))


def _replaced(files: Collection[str], repo_type: str) -> list[str]:
    patterns = REPLACED.get(repo_type, [])
    brought = [pattern for pattern in patterns if any(filter_repo_objects(files, allow_patterns=pattern))]
    return patterns if patterns[:1] == brought[:1] else brought


def _later(
    folder: Path, repo_id: str, repo_type: str, public: bool, files: Collection[str], replaced: Sequence[str]
) -> str:
    """Return the command that pushes the same files without this library.

    `hf upload` follows links, so the command names each file; shards, which may be many, have one pattern if it
    matches no other file.
    """
    top = Path(os.path.realpath(folder))
    visible = [path.relative_to(top).as_posix() for path in top.glob("**/*") if path.is_file()]
    included = []
    for name in files:
        pattern = re.sub(r"-\d{5}-of-", "-*-of-", glob.escape(name))
        matched = set(filter_repo_objects(visible, allow_patterns=pattern))
        included.append(pattern if matched <= set(files) else glob.escape(name))
    # Without --private, a repo that was deleted in the meantime would be created again, public. Each flag is quoted
    # together with its value: shells, and Click on Windows, would replace a pattern by file names.
    flags = [f"--include={pattern}" for pattern in dict.fromkeys(included)]
    flags += [f"--delete={pattern}" for pattern in replaced]
    words = [_quoted(str(folder)), ".", "--repo-type", repo_type, *([] if public else ["--private"])]
    return " ".join(["hf", "upload", repo_id, *words, *map(_quoted, flags)])


def _quoted(word: str) -> str:
    """Quote a word for bash, cmd and PowerShell; with characters that they treat differently, for this system."""
    return shlex.quote(word) if os.name != "nt" and re.search(r'[$`"!\\]', word) else f'"{word}"'


def _info(repo_id: str, repo_type: str, public: bool) -> Any:
    """Return the Hub's information about a repo; raise U2UError if it is public and `public` is not set."""
    info = HfApi().repo_info(repo_id, repo_type=repo_type)
    if not (info.private or public):
        raise U2UError(
            f"{repo_id}: this {repo_type} is public, everybody could read what is pushed: "
            "give another name, make it private on its page, or give --public"
        )
    return info


def _open(repo_id: str, repo_type: str, public: bool, space_sdk: str | None) -> bool:
    """Create a missing repo, check that it may be written to, and return whether it is private."""
    if repo_id.count("/") != 1:
        raise U2UError(f"{repo_id}: cannot be pushed to: give OWNER/NAME, where OWNER is your name on the Hub")
    api = HfApi()
    with in_one_line(f"{repo_id}: cannot be pushed to", "write"):
        user = api.whoami()["name"]
        try:
            try:
                info = _info(repo_id, repo_type, public)
            except RepositoryNotFoundError:
                api.create_repo(repo_id, repo_type=repo_type, private=not public, exist_ok=True, space_sdk=space_sdk)
                # create_repo(private=True, exist_ok=True) leaves a public repo public without an error.
                info = _info(repo_id, repo_type, public)
            api.auth_check(repo_id, repo_type=repo_type, write=True)
        except HfHubHTTPError as error:
            if error.response.status_code != 403 or is_full(error):
                raise
            owner, name = repo_id.split("/")
            what = "the token may only read: " if owner == user else f"you are {user} there: push to {user}/{name}, or "
            raise U2UError(f"{repo_id}: cannot be pushed to: {what}{log_in('write')}") from error
    return bool(info.private)
