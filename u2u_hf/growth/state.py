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
    found = hashlib.sha256(corrections.digest(project.transcripts).encode())
    corpus = project.corpus
    for path in files_below(corpus)[0]:
        name = path.relative_to(corpus).as_posix()
        found.update(f"{name}\0{path.stat().st_size}\0".encode("utf-8", "surrogatepass"))
        if readers.reader_of(path):
            found.update(hashlib.sha256(path.read_bytes()).digest())
    for recipe in ("prepare", "train", "language_model"):
        if (path := project.config(recipe)).is_file():
            found.update(f"{recipe}\0".encode() + path.read_bytes())
    names = corrections.touched(project.transcripts)
    sounds = recordings_of(project) if names else {}
    for name in names:  # a recording that was missing may have come back
        found.update(f"{name}\0{sounds.get(name, '')}\0".encode("utf-8", "surrogatepass"))
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
