"""What people corrected in the transcripts of a project, and the copies of these that a round learns from.

A file is copied before it is read, so that what is compared, told and trained on is one state of it. Nothing in the
folder of the transcripts is changed here.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from u2u_hf import written_files
from u2u_hf.corpus.folder import files_below
from u2u_hf.corpus.pairing import find_audio, index_audio
from u2u_hf.formats import readers, writers
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.formats.eaf_edit import add_tiers
from u2u_hf.growth.edits import Change, TierEdits, compare, in_words
from u2u_hf.growth.snapshot import Snapshot, by_people, sentences
from u2u_hf.records import (
    CORRECTED_TYPE,
    MACHINE_ANNOTATOR,
    MACHINE_TYPES,
    SEGMENT_TYPE,
    AnnotationDocument,
    Segment,
    Tier,
    Transcript,
    U2UError,
    Word,
)

Span = tuple[str, int, int]  # a tier's name, and the start and end of an annotation in ms


@dataclass
class Corrections:
    """What people did to the drafts.

    Attributes:
        lines: what changed since the last round, a sentence for each file. problems: what could not be used, and why.
        audio: name of a corrected transcript, without suffix → its recording.
        touched: names of the transcripts that people worked on, or that cannot be read; of one that was saved under
            another name also that of its draft.
        open_segments: name of the draft of such a transcript → the spans of it that nobody has confirmed yet.
        changed, characters: of the drafts that people looked through since the last round.
        counted: name of a draft → the annotations of which that is known, earlier rounds included.
        state: the tiers of the corrected transcripts.
    """

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    audio: dict[str, str] = field(default_factory=dict)
    touched: list[str] = field(default_factory=list)
    open_segments: dict[str, list[Span]] = field(default_factory=dict)
    changed: int = 0
    characters: int = 0
    counted: dict[str, list[Span]] = field(default_factory=dict)
    state: dict[str, tuple[Tier, ...]] = field(default_factory=dict)


def edited_files(folder: Path) -> dict[str, Path]:
    """Return the ELAN files, in a folder of transcripts and below it, that are not as the recogniser wrote them.

    Returns:
        name, without suffix → file.
    """
    files = files_below(folder)[0] if folder.is_dir() else []
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in files
        if readers.reader_of(path) is readers.ELAN and not written_files.wrote(folder, path)
    }


def collect(
    transcripts: Path,
    copies: Path,
    drafts: Sequence[Path],
    before: Snapshot,
    counted: Mapping[str, Sequence[Span]],
    recordings: Mapping[str, str],
    transcribed: Iterable[str] = (),
) -> Corrections:
    """Find what people corrected, and copy what is to be learnt from.

    Args:
        transcripts: the folder that people work in.
        copies: a folder that is made anew, for the transcripts to learn from.
        drafts: folders with the drafts as they were written, the newest first.
        before: the corrected transcripts of the last round.
        counted: as in `Corrections`, of the last round.
        recordings: name of a transcript, without suffix → its recording.
        transcribed: recordings that the corpus has transcripts of.
    """
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir(parents=True)
    found = Corrections(counted={name: list(map(_span, spans)) for name, spans in counted.items()})
    transcribed, name_of = set(transcribed), {audio: name for name, audio in recordings.items()}
    drafts_of_others: list[str] = []
    for name, path in edited_files(transcripts).items():
        found.touched.append(name)
        copy = copies / f"{name}.eaf"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        try:
            document = read_eaf(copy)
        except U2UError as error:
            reason = str(error).removeprefix(f"{copy}: ")
            found.problems.append(f"{path}: {reason}; it is kept as it is, and not learnt from until it is repaired")
            copy.unlink()
            found.state |= {name: before[name]} if name in before else {}  # compared with this once it is repaired
            continue
        audio = recordings.get(name) or _linked(document, recordings.values())
        draft = name if name in recordings else name_of.get(audio or "", name)
        edits = _edits(document.tiers, _drafts_of(draft, transcripts, drafts))
        if _collect_one(found, name, draft, path, copy, document.tiers, edits, before, audio, transcribed):
            # Of two files of one sound, the one that was saved later is learnt from. Without `copystat`: a copy that is
            # read only stays in the way of the next round.
            os.utime(copy, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        else:
            copy.unlink()
        drafts_of_others.append(draft)
    found.problems += [
        f"{transcripts / name}.eaf: is not there any more; it was corrected, and is not learnt from now"
        for name in before
        if name not in found.touched
    ]
    found.touched += sorted(set(drafts_of_others) - set(found.touched))
    return found


def _collect_one(
    found: Corrections,
    name: str,
    draft: str,
    path: Path,
    copy: Path,
    tiers: Sequence[Tier],
    edits: Sequence[TierEdits],
    before: Snapshot,
    audio: str | None,
    transcribed: set[str],
) -> bool:
    """Find what people did to one transcript; return whether its copy is to be learnt from."""
    found.state[name] = segments = tuple(t for t in tiers if t.linguistic_type not in _CHILDREN)
    earlier = before.get(name)
    since = compare(earlier, segments) if earlier is not None else edits
    if lines := sentences(edit for edit in since if not edit.is_same):
        found.lines.append(f"{name}.eaf: {'; '.join(lines)}")
    _count(found, draft, edits)
    learnt = any(a.value.strip() for tier in by_people(tiers) for a in tier.annotations)
    unknown = [e.name for e in edits if e.after and not e.before and e.after.linguistic_type == SEGMENT_TYPE]
    if unknown:
        found.problems.append(
            f"{path}: the draft of {', '.join(unknown)} is not known (written without --queue, or copied), so that it "
            f"is learnt from only once the tier has the type {CORRECTED_TYPE}"
        )
    partial = [e for e in edits if e.after and e.before and e.after.linguistic_type == SEGMENT_TYPE and e.edited]
    if partial and audio in transcribed:
        found.problems.append(
            f"{path}: {_listed(partial)}; the corpus has a transcript of this recording, so that they are learnt from "
            f"only once the tier has the type {CORRECTED_TYPE}"
        )
        partial = []
    if partial:
        found.problems.append(
            f"{path}: {_listed(partial)}; only these are learnt from: the tier still has the recogniser's type. "
            f"Give it the type {CORRECTED_TYPE} once all of it is corrected"
        )
    if not (learnt or partial):
        return False
    if audio is None:
        found.problems.append(
            f"{path}: its recording is not there any more, so that it is not learnt from: bring it back, or name its "
            "folder under 'recordings' in project.yaml"
        )
        return False
    found.audio[name] = audio
    if partial:
        _add_partial(copy, partial)
    return True


def _linked(document: AnnotationDocument, recordings: Iterable[str]) -> str | None:
    """Return the recording that a transcript links to, where it was given another name; None if there is none."""
    try:
        return str(find_audio(document, index_audio(map(Path, recordings)))[0])
    except U2UError:
        return None


_CHILDREN = tuple(set(MACHINE_TYPES) - {SEGMENT_TYPE})


def _edits(tiers: Sequence[Tier], drafts: Iterable[Sequence[Tier]]) -> list[TierEdits]:
    """Return what became of the draft. Of several drafts, that which was least changed was the one corrected.

    The person may have had an older draft open in ELAN while a round wrote a newer one.
    """
    now = [tier for tier in tiers if tier.linguistic_type not in _CHILDREN]
    tried = [compare([t for t in draft if t.linguistic_type == SEGMENT_TYPE], now) for draft in drafts]
    none = [TierEdits(None, tier) for tier in now]
    return min(tried, key=lambda edits: sum(len(edit.changes) for edit in edits), default=none)


def _drafts_of(name: str, transcripts: Path, folders: Iterable[Path]) -> list[tuple[Tier, ...]]:
    """Return the drafts that a transcript may have been corrected from, those of the newest round first.

    The one that transcribe.py wrote last, before the first round or by hand between two, is known by its .json.
    """
    files = (folder / f"{name}.eaf" for folder in folders)
    return [*(read_eaf(draft).tiers for draft in files if draft.is_file()), *_from_json(transcripts / f"{name}.json")]


def _from_json(path: Path) -> list[tuple[Tier, ...]]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        segments = [Segment(**s | {"words": tuple(Word(**w) for w in s["words"])}) for s in values["segments"]]
        transcript = Transcript(**values | {"segments": tuple(segments)})
        return [tuple(writers.tiers_of(transcript, writers.UNSURE_BELOW))]
    except (OSError, ValueError, TypeError, LookupError):
        return []


def _count(found: Corrections, name: str, edits: Sequence[TierEdits]) -> None:
    """Add to `found` how much of the draft was changed, where that was not counted in an earlier round."""
    known, still_open = set(found.counted.get(name, ())), []
    for edit in edits:
        if not (edit.before and edit.after):
            continue
        whole = edit.after.linguistic_type not in MACHINE_TYPES
        new = dataclasses.replace(edit, changes=tuple(c for c in edit.changes if not _spans(edit, c) & known))
        after = edit.after.annotations if whole else new.edited
        left = tuple(a for a in after if (edit.before.name, a.start_ms, a.end_ms) not in known)
        new = dataclasses.replace(new, after=dataclasses.replace(edit.after, annotations=left))
        changed, characters = new.characters()
        found.changed += changed
        found.characters += characters
        known |= {span for change in new.changes for span in _spans(edit, change)}
        known |= {(edit.before.name, a.start_ms, a.end_ms) for a in left}
        if not whole:
            gone = {a for change in edit.changes for a in change.before}
            still_open += [(edit.before.name, a.start_ms, a.end_ms) for a in edit.before.annotations if a not in gone]
    found.counted[name] = sorted(known)
    others = found.open_segments.get(name, still_open)  # of another file of the same draft
    found.open_segments[name] = [span for span in still_open if span in others]


def _spans(edit: TierEdits, change: Change) -> set[Span]:
    name = edit.before.name if edit.before else edit.name
    # A deleted annotation is known by where it was.
    return {(name, a.start_ms, a.end_ms) for a in (change.after or change.before)}


def _span(values: Sequence[Any]) -> Span:
    tier, start, end = values
    return str(tier), int(start), int(end)


def _listed(partial: Iterable[TierEdits]) -> str:
    counts = sum((edit.count() for edit in partial), Counter[str]())
    return in_words(counts)


def _add_partial(copy: Path, partial: Iterable[TierEdits]) -> None:
    """Add a tier with the annotations that a person changed to the copy of a transcript."""
    tiers = [
        Tier(
            f"{edit.name} corrected",
            tuple(a for a in edit.edited if a.value.strip()),
            CORRECTED_TYPE,
            edit.after.participant or edit.name,  # as the speaker of the whole tier will be called
            MACHINE_ANNOTATOR,
        )
        for edit in partial
        if edit.after
    ]
    add_tiers(copy, copy, [tier for tier in tiers if tier.annotations], {}, [CORRECTED_TYPE])
