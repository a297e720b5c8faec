"""Download a trained model from the Hugging Face Hub into a folder such as train.py makes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from huggingface_hub import HfApi, snapshot_download

from u2u_hf import output_folder, written_files
from u2u_hf.hub.problems import in_one_line
from u2u_hf.model_folder import MODEL, SETTINGS, belongs
from u2u_hf.records import U2UError


def fetch_model(repo_id: str, folder: Path) -> Path | None:
    """Download a trained model's files; a folder that is there already is renamed once they are complete.

    Checkpoints are not downloaded. A download that was stopped resumes when it is run again.

    Args:
        repo_id: OWNER/NAME.
        folder: where the model will lie, as if train.py had made it.

    Returns:
        The new name of the folder that was there, or None.

    Raises:
        U2UError: the repository is missing, may not be read, or has no finished model; `folder` holds something else
            than what train.py makes, a run is writing into it, or it cannot be written.
    """
    folder = Path(os.path.abspath(folder))
    output_folder.check(folder, "train.py")
    with in_one_line(repo_id):
        info = HfApi().model_info(repo_id)
        files = [item.rfilename for item in info.siblings or [] if belongs(item.rfilename, MODEL)]
        if SETTINGS not in files:
            raise U2UError(f"{repo_id}: holds no finished model: let its training end, or resume it")
        new = folder.with_name(f".{folder.name}.part")  # on the same disk
        snapshot_download(repo_id, revision=info.sha, allow_patterns=files, local_dir=new)
    before = output_folder.set_aside(folder) if folder.exists() and any(folder.iterdir()) else None
    output_folder.claim(folder, "train.py")
    try:
        for name in sorted(files, key=lambda name: name == SETTINGS):  # the file that says that a model is whole: last
            written_files.put(new / name, folder, folder / name)
    except U2UError as error:
        raise U2UError(f"{error}; the model that was there is {before}" if before else str(error)) from error
    shutil.rmtree(new, ignore_errors=True)
    return before
