"""The state of a project: all that people may change between two rounds."""

from __future__ import annotations

import hashlib

from u2u_hf.corpus.folder import files_below
from u2u_hf.formats import readers
from u2u_hf.growth import corrections
from u2u_hf.project.folder import Project
from u2u_hf.transcription.jobs import TranscriptionSettings, find_jobs


def state_of(project: Project) -> str:
    """Return a digest of all that people may change between rounds: corpus, transcripts, settings.

    Raises:
        U2UError: there is no corpus.
    """
    found = hashlib.sha256()

    def add(name: str, data: bytes = b"") -> None:
        found.update(f"{name}\0".encode("utf-8", "surrogatepass") + hashlib.sha256(data).digest())

    edited = corrections.edited_files(project.transcripts)
    for name, path in edited.items():
        add(name, path.read_bytes())
    for path in files_below(project.corpus)[0]:
        data = path.read_bytes() if readers.reader_of(path) else b""
        add(f"{path.relative_to(project.corpus).as_posix()}\0{path.stat().st_size}", data)
    for recipe in ("prepare", "train", "language_model"):
        if (path := project.config(recipe)).is_file():
            add(recipe, path.read_bytes())
    sounds = recordings_of(project) if edited else {}
    for name in edited:  # a recording that was missing may have come back
        add(f"{name}\0{sounds.get(name, '')}")
    return found.hexdigest()


def recordings_of(project: Project) -> dict[str, str]:
    """Return the name of each transcript, without suffix → its recording.

    Raises:
        U2UError: see `find_jobs`.
    """
    settings = TranscriptionSettings(
        recordings=[str(path) for path in project.recordings], output_dir=str(project.transcripts)
    )
    return {job.name.as_posix(): str(job.audio) for job in find_jobs(settings)[0]}
