"""What doctor.py prints at its end, and what it could not examine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from u2u_hf.doctor.annotations import Corpus
from u2u_hf.doctor.corrections import FOLDER, Corrected
from u2u_hf.doctor.findings import KINDS, Finding
from u2u_hf.doctor.gaps import Gaps
from u2u_hf.doctor.measures import Measure
from u2u_hf.doctor.page import Summary
from u2u_hf.doctor.speech import Speech

_MOST = 20  # of a list


def notes(
    corpus: Corpus, measures: Sequence[Measure], speech: Mapping[str, Speech], gaps: Mapping[str, Gaps]
) -> list[str]:
    """Return sentences about what could not be examined: files, annotations, recordings."""
    skipped = [f"{one.where}: {one.reason}" for one in corpus.skipped if one.is_problem]
    unread = [f"{one.recording}, tier {one.tier}: {one.problem}" for one in measures if one.problem]
    deaf = [f"{name}: {one.problem}" for name, one in speech.items() if one.problem]
    dropped = [f"{count} annotations: {reason}" for reason, count in _reasons(corpus).most_common()]
    partly = [name for name, one in gaps.items() if not one.is_annotated]
    if partly:
        dropped.append(f"speech without annotation: {_listed(partly)}, of which less than half is annotated")
    return [*_few(skipped), *_few(unread), *_few(deaf), *_few(dropped)]


def _reasons(corpus: Corpus) -> Counter[str]:
    return Counter(drop.reason for drop in corpus.dropped)


def _few(lines: Sequence[str]) -> list[str]:
    return [*lines[:_MOST], f"… and {len(lines) - _MOST} more"] if len(lines) > _MOST else list(lines)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def after_examination(found: Sequence[Finding], summary: Summary, output_dir: Path) -> str:
    """Return what was found, what was not examined, and the next command."""
    lines = [f"! {note}" for note in summary.notes]
    listed = f"{len(found)} probable faults:" if found else "no probable faults"
    lines.append(f"{summary.annotations} annotations read, CER {summary.cer:.1%}; {listed}")
    counts = Counter(one.kind for one in found)
    lines += [f"  {counts[kind]:5}  {title}" for kind, (title, _) in KINDS.items() if counts[kind]]
    page = output_dir / "doctor.html"
    lines += [f"\nhear them: {page}", f"then, for what you accept there:\n  {summary.command}"] if found else []
    return "\n".join(lines)


def after_apply(done: Sequence[Corrected], output_dir: Path) -> str:
    """Return what was corrected in which file, and what was not, with the reasons."""
    lines = []
    for one in done:
        lines.append(f"! {one.file}: {one.problem}" if one.problem else f"{one.file}: {one.made} corrected")
        lines += [f"  ! {reason}" for reason in one.refused]
    if any(one.made for one in done):
        lines.append(f"\ncorrected copies: {output_dir / FOLDER}; your own files are as they were")
    return "\n".join(lines) or "nothing is accepted in that file: tick findings in doctor.html, and save again"
