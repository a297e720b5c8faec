"""A folder of annotation files and recordings → documents with their audio → utterances."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import unquote

from u2u_hf.eaf import read_eaf
from u2u_hf.records import AnnotationDocument, Tier, U2UError, Utterance
from u2u_hf.text import TextRules

AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".aif")
READERS = {".eaf": read_eaf}

# Words in the names of tiers that hold something else than what was said, in languages of fieldwork.
_OTHER = re.compile(
    r"(?<![^\W\d_])(transla|traduc|tradu[cç]|terjemah|free|gloss|glosa|notes?(?![^\W\d_])|notas?(?![^\W\d_])|"
    r"comment|coment|remark|observ|pos(?![^\W\d_])|morph|lemma|eng(lish)?(?![^\W\d_])|espa[nñ]ol|spanish|"
    r"fran[cç]ais|ref(?![^\W\d_])|words?(?![^\W\d_])|tokens?(?![^\W\d_]))",
    re.IGNORECASE,
)
_TRANSCRIPTION = re.compile(
    r"(?<![^\W\d_])(transcri|ortho|orto|surface|phrase|utter|speech|text|verbatim|tx(?![^\W\d_]))", re.IGNORECASE
)


@dataclass(frozen=True)
class Recording:
    """One annotation file with its audio.

    Attributes:
        name: the annotation file's path in the corpus, without its extension, with forward slashes.
        origin_ms: add it to a time in the annotations to get the time in the audio.
    """

    name: str
    document: AnnotationDocument
    audio: str
    origin_ms: int = 0


@dataclass(frozen=True)
class Skipped:
    """A file, tier or utterance that was left out, and why."""

    where: str
    reason: str


def read_corpus(corpus: str | os.PathLike[str]) -> tuple[list[Recording], list[Skipped]]:
    """Read every annotation file under `corpus` and find its audio there.

    Returns:
        recordings in order of name, and the files that could not be used with the reason.

    Raises:
        U2UError: no such folder, or no annotation file in it.
    """
    corpus = Path(corpus)
    if not corpus.is_dir():
        raise U2UError(f"{corpus}: there is no such folder: --corpus names the folder with the .eaf files and audio")
    files = sorted(p for p in corpus.rglob("*") if p.is_file() and not p.name.startswith("."))
    annotation_files = [p for p in files if p.suffix.lower() in READERS]
    if not annotation_files:
        raise U2UError(f"{corpus}: no annotation file ({', '.join(READERS)}) in this folder or below it")
    audio = [p for p in files if p.suffix.lower() in AUDIO_SUFFIXES]
    recordings, skipped = [], []
    for path in annotation_files:
        try:
            document = READERS[path.suffix.lower()](path)
            partner, origin_ms = find_audio(document, audio)
        except U2UError as error:
            where, _, reason = str(error).partition(": ")
            skipped.append(Skipped(where, reason))
            continue
        name = path.relative_to(corpus).with_suffix("").as_posix()
        recordings.append(Recording(name, document, str(partner), origin_ms))
    return recordings, skipped


def find_audio(document: AnnotationDocument, audio: Sequence[Path]) -> tuple[Path, int]:
    """The recording that an annotation file belongs to, and its origin in ms.

    Tried in order, ignoring case and Unicode form: the names of the media in the file (of whatever
    folder: the file was made on another machine), the annotation file's own stem, and its stem before
    ``_ed`` (``a_ed-2025-02-12.eaf`` is an edited ``a.eaf``). Among several, the one in the annotation
    file's own folder is taken.

    Raises:
        U2UError: none, or several that are equally near.
    """
    path = Path(document.path)
    by_name: dict[str, list[Path]] = defaultdict(list)
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for candidate in audio:
        by_name[_key(candidate.name)].append(candidate)
        by_stem[_key(candidate.stem)].append(candidate)
    tried = []
    for media in document.media:
        for name in dict.fromkeys(map(media_name, media.urls)):
            tried.append(name)
            if found := by_name.get(_key(name)):
                return _nearest(path, found), media.origin_ms
    origin_ms = document.media[0].origin_ms if document.media else 0
    for stem in dict.fromkeys((path.stem, re.split(r"_ed(?![a-z])", path.stem, flags=re.IGNORECASE)[0])):
        tried.append(f"{stem}.*")
        if found := by_stem.get(_key(stem)):
            return _nearest(path, found), origin_ms
    raise U2UError(f"{path}: its audio is not in the corpus folder (looked for {', '.join(tried)}): copy it there")


def _nearest(path: Path, found: list[Path]) -> Path:
    beside = [p for p in found if p.parent == path.parent]
    choice = beside or found
    if len(choice) > 1:
        listed = ", ".join(map(str, choice))
        raise U2UError(f"{path}: several recordings could be its audio: {listed}: keep one, or rename")
    return choice[0]


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def media_name(url: str) -> str:
    """The file name in a media URL or path: ``file:///C:/Ana%20L/a.wav`` and ``D:\\Ana L\\a.wav`` give ``a.wav``."""
    return re.split(r"[/\\]", unquote(url))[-1]


def choose_tiers(
    recordings: Iterable[Recording], patterns: Sequence[str] = ()
) -> tuple[dict[str, list[Tier]], dict[str, str]]:
    """Which tiers hold transcriptions.

    With `patterns` (shell patterns on tier names, ``*SURFACE*``): those that match. Without: tiers that
    have text and are not named like translations, notes, glosses and the like; of these the ones named
    like transcriptions in each file, or else its top-level ones.

    Returns:
        recording name → its chosen tiers, and tier name → why it was chosen or not.

    Raises:
        U2UError: a pattern matches no tier of any file, or there is no tier to choose.
    """
    recordings = list(recordings)
    names = sorted({tier.name for r in recordings for tier in r.document.tiers})
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise U2UError(f"--tiers {pattern}: no tier of any file matches; there are: {', '.join(names) or 'none'}")
    chosen: dict[str, list[Tier]] = {}
    why: dict[str, str] = {}
    for recording in recordings:
        tiers = recording.document.tiers
        if patterns:
            chosen[recording.name] = [t for t in tiers if any(fnmatchcase(t.name, p) for p in patterns)]
            why |= {t.name: "matches --tiers" for t in chosen[recording.name]}
            continue
        reasons = {tier.name: _unlike_transcription(tier) for tier in tiers}
        left = [tier for tier in tiers if not reasons[tier.name]]
        named = [t for t in left if _TRANSCRIPTION.search(f"{t.name} {t.linguistic_type}")]
        picked = named or [tier for tier in left if not tier.parent]
        for tier in tiers:
            if tier in picked:
                reasons[tier.name] = "named like a transcription" if named else "top-level, with text"
            why[tier.name] = reasons[tier.name] or "another tier is named like a transcription"
        chosen[recording.name] = picked
    if not any(chosen.values()):
        raise U2UError(f"no tier looks like a transcription: name yours with --tiers; there are: {', '.join(names)}")
    return chosen, why


def _unlike_transcription(tier: Tier) -> str:
    if not any(a.value.strip() for a in tier.annotations):
        return "has no text"
    if match := _OTHER.search(tier.name) or _OTHER.search(tier.linguistic_type):
        return f"looks like something else ({match[0]!r} in its name or type)"
    return ""


def utterances(recordings: Iterable[Recording], tiers: dict[str, list[Tier]], rules: TextRules) -> list[Utterance]:
    """One utterance for each annotation of the chosen tiers, in the time of the audio; channel unknown."""
    return [
        Utterance(
            recording=recording.name,
            audio=recording.audio,
            tier=tier.name,
            speaker=tier.participant or tier.name,
            channel=None,
            start_ms=annotation.start_ms + recording.origin_ms,
            end_ms=annotation.end_ms + recording.origin_ms,
            raw_text=annotation.value,
            text=rules(annotation.value),
        )
        for recording in recordings
        for tier in tiers.get(recording.name, [])
        for annotation in tier.annotations
    ]
