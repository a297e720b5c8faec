"""A folder of annotation files and recordings → documents with their audio → utterances."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from u2u_hf.eaf import read_eaf
from u2u_hf.files import fold
from u2u_hf.records import SEGMENT_TYPE, WORD_TYPE, AnnotationDocument, Tier, U2UError, Utterance
from u2u_hf.tables import METADATA_NAMES, TABLE_SUFFIXES, is_table, read_metadata, read_table
from u2u_hf.text import TextRules
from u2u_hf.textgrid import read_textgrid

AUDIO_SUFFIXES = tuple(".wav .flac .mp3 .ogg .opus .aiff .aif .m4a .mp4 .aac .wma .mov .mkv .webm .avi .mts".split())
ANNOTATION_SUFFIXES = (".eaf", ".textgrid")
LengthMs = Callable[[Path], int]


def _words(*patterns: str) -> re.Pattern[str]:
    """Finds words that begin like `patterns`; a pattern that ends in ``$`` is the whole word."""
    ends = "|".join(p[:-1] + r"(?![^\W\d_])" if p.endswith("$") else p for p in patterns)
    return re.compile(rf"(?<![^\W\d_])(?:{ends})", re.IGNORECASE)


# What tiers that do not hold what was said are called, in languages of fieldwork and of fieldworkers; marks of
# Toolbox and FLEx (ft, mb, ge, segnum) only in small letters, for capitals are speakers' initials.
_OTHER = _words(
    *"transla traduc tradu[çz] traduzion übersetz ueber?setz перев terjemah tafsir dịch free$ libre$ lit$".split(),
    *"gloss glos[ae] gls$ глосс notes?$ notas?$ noti[zc] notiz anmerk bemerk catatan заметк примеч".split(),
    *"comm?ent coment komment komentar коммент remar[kq] observ descri title$ segnum".split(),
    *"pos$ part.?of.?speech morf morph морф lemm?a root$ ref$ refs$ id$".split(),
    *"words?$ palabras?$ palavras?$ mots?$ wort$ wörter kata$ слов tokens? phon[eo]s?$ phonemes? syllab".split(),
    "(?-i:ft|mb|ge|gn|ps|nt|rx)$",
)
_OTHER_UNSPACED = re.compile("翻[译譯訳]|[译譯訳]文|[备備]注|[备備]註|注[释釈]|メモ")
# Languages of translation; but "English-speaker transcription" says itself what it is.
_LANGUAGE = _words(
    *"eng(?:lish)?$ ingl[eéê]s anglais spa(?:nish)?$ español castellano espagnol fran[cç]ais french francés".split(),
    *"portugu deutsch$ german$ русск russian indonesia$ bahasa swahili kiswahili".split(),
)
_TRANSCRIPTION = _words(
    *"transcri transkri trascri транскри orth?o ortogr surface phrase utter enuncia sentence oraci".split(),
    *"speech text verbatim tx$".split(),
)
_TRANSCRIPTION_UNSPACED = re.compile("[转轉転][写寫]|文字起|書き起")


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


def read_corpus(
    corpus: str | os.PathLike[str], length_ms: LengthMs | None = None
) -> tuple[list[Recording], list[Skipped]]:
    """Read every annotation file under `corpus` and find its audio there.

    Annotation files are ELAN's .eaf, Praat's .TextGrid, tables (.csv, .tsv with the columns audio, start, end
    and text), and the metadata.csv or metadata.jsonl of an audio folder.

    Args:
        length_ms: audio file → its length in ms; without it audio folders' metadata is not read.

    Returns:
        recordings in order of name, and the files that could not be used with the reason.

    Raises:
        U2UError: no such folder, no annotation file in it, or not one that can be used.
    """
    corpus = Path(corpus)
    if not corpus.is_dir():
        raise U2UError(f"{corpus}: there is no such folder: --corpus names the folder with the .eaf files and audio")
    files, skipped = _files_below(corpus)
    annotation_files = [p for p in files if _is_annotation(p, length_ms is not None)]
    if not annotation_files:
        raise U2UError(f"{corpus}: no annotation file (.eaf, .TextGrid, or a table) in this folder or below it")
    audio = index_audio(p for p in files if p.suffix.lower() in AUDIO_SUFFIXES)
    recordings: dict[str, Recording] = {}
    for path in annotation_files:
        try:
            documents, problems = _read(path, length_ms)
        except U2UError as error:
            documents, problems = [], [error]
        for document in documents:
            try:
                name = _recording_name(document, corpus)
                if name in recordings:
                    raise U2UError(
                        f"{path}: {recordings[name].document.path} has the same name and is used: rename one"
                    )
                partner, origin_ms = find_audio(document, audio)
                recordings[name] = Recording(name, document, str(partner), origin_ms)
            except U2UError as error:
                problems.append(error)
        skipped += [Skipped(str(path), str(problem).removeprefix(f"{path}: ")) for problem in problems]
    if not recordings:
        count = f"{len(annotation_files)} annotation file{'s' if len(annotation_files) > 1 else ''}"
        first = next(s for s in skipped if s.where in map(str, annotation_files))
        raise U2UError(f"{corpus}: of {count} not one can be used; the first, {first.where}: {first.reason}")
    return [recordings[name] for name in sorted(recordings)], skipped


def _is_annotation(path: Path, with_metadata: bool) -> bool:
    if path.name.lower() in METADATA_NAMES:
        return with_metadata
    suffix = path.suffix.lower()
    return suffix in ANNOTATION_SUFFIXES or (suffix in TABLE_SUFFIXES and is_table(path))


def _read(path: Path, length_ms: LengthMs | None) -> tuple[list[AnnotationDocument], list[U2UError]]:
    """The documents of an annotation file, and what of it could not be read."""
    if path.name.lower() in METADATA_NAMES and length_ms:
        return read_metadata(path, length_ms)
    suffix = path.suffix.lower()
    if suffix in TABLE_SUFFIXES:
        return read_table(path), []
    return [read_textgrid(path) if suffix == ".textgrid" else read_eaf(path)], []


def _recording_name(document: AnnotationDocument, corpus: Path) -> str:
    """An annotation file's own name; of a table, which has many recordings, with that of the audio."""
    name = Path(document.path).relative_to(corpus).with_suffix("").as_posix()
    if Path(document.path).suffix.lower() in ANNOTATION_SUFFIXES:
        return name
    return f"{name}/{PurePosixPath(document.media[0].urls[0].replace(chr(92), '/')).with_suffix('')}"


def _files_below(folder: Path) -> tuple[list[Path], list[Skipped]]:
    """Every file below `folder`, in order of name, but hidden ones; and folders that cannot be read.

    Links to folders are followed, for audio often lies on another disk; each folder once, and none that
    the corpus lies in, for links may form circles.
    """
    files: list[Path] = []
    skipped: list[Skipped] = []
    seen = set(map(str, Path(os.path.realpath(folder)).parents))

    def unreadable(error: OSError) -> None:
        skipped.append(Skipped(str(error.filename), f"the folder cannot be read ({error.strerror})"))

    for here, folders, names in os.walk(folder, followlinks=True, onerror=unreadable):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [path for name in names if not name.startswith(".") and (path := Path(here, name)).is_file()]
    return sorted(files), skipped


def index_audio(audio: Iterable[Path]) -> dict[str, list[Path]]:
    """Recordings by name (``a.wav``) and by stem (``a.*``), ignoring case and Unicode form."""
    index: dict[str, list[Path]] = defaultdict(list)
    for path in audio:
        index[fold(path.name)].append(path)
        index[fold(f"{path.stem}.*")].append(path)
    return dict(index)


def find_audio(document: AnnotationDocument, audio: Mapping[str, list[Path]]) -> tuple[Path, int]:
    """The recording that an annotation file belongs to, and its origin in ms.

    Tried in order, ignoring case and Unicode form: the names of the media in the file (of whatever
    folder: the file was made on another machine), these with another extension (a.mp4 → a.wav), the
    annotation file's own stem, and its stem before ``_ed`` (``a_ed-2025-02-12.eaf`` is an edited
    ``a.eaf``). Among several, the one that the relative path in the file leads to is taken, else the one in
    the annotation file's own folder.

    Args:
        audio: from `index_audio`. Nothing else is looked at: what the file names cannot lead elsewhere.

    Raises:
        U2UError: none, or several that are equally near.
    """
    path = Path(document.path)
    wanted = [(name, m.origin_ms) for m in document.media for url in m.urls for name in media_names(url)]
    wanted += [(f"{PurePosixPath(name).stem}.*", origin_ms) for name, origin_ms in wanted]
    origin_ms = document.media[0].origin_ms if document.media else 0
    before_ed = re.split(r"_ed(?![a-z])", path.stem, flags=re.IGNORECASE)[0]
    wanted += [(f"{stem}.*", origin_ms) for stem in (path.stem, before_ed) if stem]
    for name, origin_ms in wanted:
        if found := audio.get(fold(name)):
            return _nearest(document, found), origin_ms
    tried = ", ".join(dict.fromkeys(name for name, _ in wanted))
    raise U2UError(f"{path}: its audio is not in the corpus folder (looked for {tried}): copy it there")


def _nearest(document: AnnotationDocument, found: list[Path]) -> Path:
    """Of files with the wanted name: the one the document's relative path leads to, or else the one beside it."""
    path = Path(document.path)
    written = [url.replace("\\", "/") for media in document.media for url in media.urls]
    named = {os.path.normpath(path.parent / spelled) for url in written for spelled in (url, unquote(url))}
    exact = [p for p in found if os.path.normpath(p) in named]
    choice = exact or [p for p in found if p.parent == path.parent] or found
    if len(choice) > 1:
        listed = ", ".join(map(str, choice))
        raise U2UError(f"{path}: several recordings could be its audio: {listed}: keep one, or rename")
    return choice[0]


def media_names(url: str) -> list[str]:
    """The file name in a media URL or path: of ``file:///C:/Ana/a.wav`` and ``D:\\Ana\\a.wav``, ``a.wav``.

    Twice where it has ``%20`` or the like, decoded and as it stands: ELAN itself does not encode.
    """
    names = [re.split(r"[/\\]", spelled)[-1] for spelled in (unquote(url), url)]
    return [name for name in dict.fromkeys(names) if name]


def choose_tiers(
    recordings: Iterable[Recording],
    patterns: Sequence[str] = (),
    linguistic_types: Sequence[str] = (),
    participants: Sequence[str] = (),
) -> tuple[dict[str, list[Tier]], dict[str, str]]:
    """Which tiers hold transcriptions.

    With `patterns` or `linguistic_types` (names, or shell patterns on them: ``*SURFACE*``): those that match
    one. Without: tiers that have text, were not written by this package and are not named like translations,
    notes, glosses and the like; of these the ones named like transcriptions in each file, or else those that
    are not below another. With `participants`, of all these only the tiers of speakers that match one.

    Returns:
        recording name → its chosen tiers, and tier name → why it was chosen (in one file at least) or not.

    Raises:
        U2UError: a pattern matches nothing in any file, or there is no tier to choose.
    """
    recordings = list(recordings)
    all_tiers = [tier for recording in recordings for tier in recording.document.tiers]
    _must_match("--tiers", "tier", patterns, [t.name for t in all_tiers])
    _must_match("--linguistic_types", "linguistic type", linguistic_types, [t.linguistic_type for t in all_tiers])
    _must_match("--participants", "participant", participants, [t.participant for t in all_tiers])
    chosen: dict[str, list[Tier]] = {}
    why: dict[str, str] = {}
    for recording in recordings:
        tiers = recording.document.tiers
        if patterns or linguistic_types:
            reasons = {t.name: "matches --tiers" for t in tiers if _matches(t.name, patterns)}
            typed = {
                t.name: "matches --linguistic_types" for t in tiers if _matches(t.linguistic_type, linguistic_types)
            }
            reasons = typed | reasons
            picked = [t for t in tiers if t.name in reasons]
        else:
            picked, reasons = _picked_by_name(tiers)
        if participants:
            left = [t for t in picked if _matches(t.participant, participants)]
            reasons |= {t.name: "its participant does not match --participants" for t in picked if t not in left}
            picked = left
        chosen[recording.name] = picked
        why = reasons | why | {tier.name: reasons[tier.name] for tier in picked}
    if not any(chosen.values()):
        listed = "; ".join(f"{name}: {reason}" for name, reason in why.items()) or "there are none"
        raise U2UError(f"no tier looks like a transcription: name yours with --tiers ({listed})")
    return chosen, why


def _must_match(flag: str, what: str, patterns: Sequence[str], names: Iterable[str]) -> None:
    there = sorted({name for name in names if name})
    for pattern in patterns:
        if not any(_matches(name, [pattern]) for name in there):
            raise U2UError(f"{flag} {pattern}: no {what} of any file matches; there are: {', '.join(there) or 'none'}")


def _matches(name: str, patterns: Sequence[str]) -> bool:
    name = unicodedata.normalize("NFC", name)
    patterns = [unicodedata.normalize("NFC", pattern) for pattern in patterns]
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)


def _picked_by_name(tiers: Sequence[Tier]) -> tuple[list[Tier], dict[str, str]]:
    reasons = {tier.name: _unlike_transcription(tier) for tier in tiers}
    left = {tier.name: tier for tier in tiers if not reasons[tier.name]}
    named = [t for t in left.values() if _like_transcription(t)]
    picked = named or [t for t in left.values() if t.parent not in left]
    for tier in left.values():
        reasons[tier.name] = "another tier is named like a transcription" if named else f"is below {tier.parent!r}"
    for tier in picked:
        reasons[tier.name] = "named like a transcription" if named else "has text, and is not below another such tier"
    return picked, reasons


def _spelled(tier: Tier) -> str:
    """Name and type of a tier, its words apart: ``freeTranslation`` is two."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFC", f"{tier.name} {tier.linguistic_type}"))


def _like_transcription(tier: Tier) -> bool:
    return bool(_TRANSCRIPTION.search(_spelled(tier)) or _TRANSCRIPTION_UNSPACED.search(_spelled(tier)))


def _unlike_transcription(tier: Tier) -> str:
    if tier.linguistic_type in (SEGMENT_TYPE, WORD_TYPE):
        return "written by a machine"
    if not any(a.value.strip() for a in tier.annotations):
        return "has no text"
    spelled = _spelled(tier)
    match = _OTHER.search(spelled) or _OTHER_UNSPACED.search(spelled)
    if not match and not re.search("trans?[ck]ri", spelled, re.IGNORECASE):
        match = _LANGUAGE.search(spelled)
    return f"looks like something else ({match[0]!r} in its name or type)" if match else ""


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
