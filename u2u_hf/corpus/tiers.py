"""The tiers of annotation files that hold transcriptions: named by the user, or chosen by the evidence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from u2u_hf.corpus.reader import Recording
from u2u_hf.corpus.tier_evidence import MACHINE, Evidence, gather, has_text, is_corrected_draft, with_remark
from u2u_hf.corpus.tier_patterns import matches, must_match, picked_by_pattern
from u2u_hf.corpus.tier_times import Layers, layers, overlap
from u2u_hf.records import CORRECTED_TYPE, MACHINE_ANNOTATOR, MACHINE_TYPES, Tier, U2UError, trimmed

_MOST_LAYERS = 40  # tiers of one file that are compared by their times; more are speakers, or damage
_FEWEST = 3  # annotations that a verdict by times needs
_MOST_LISTED = 130  # characters, so that the error stays below 200

_BELOW, _SAME = "is below", "is the same speech as"

# tiers of two names → how the first lies in the second, in all files together
_Pairs = Mapping[tuple[str, str], Layers]


@dataclass(frozen=True)
class _Loss:
    """A tier that is not used because another one of its file is."""

    loser: Evidence
    winner: Evidence
    reason: str

    @property
    def is_same_speech(self) -> bool:
        """Whether it is another version of what the winner holds, not another speaker or a comment."""
        is_version = self.reason.startswith((_BELOW, _SAME))
        return is_version and self.loser.kind != self.winner.kind


def choose_tiers(
    recordings: Iterable[Recording],
    patterns: Sequence[str] = (),
    linguistic_types: Sequence[str] = (),
    participants: Sequence[str] = (),
) -> tuple[dict[str, list[Tier]], dict[str, str]]:
    """Return the tiers that hold transcriptions, and why.

    With `patterns` or `linguistic_types` (names, or shell patterns: ``*SURFACE*``), these are the tiers that match;
    tiers that this package wrote must be named in full. Without, they are chosen by evidence, see `tier_evidence`:
    what a tier's annotations look like, its place below or beside others, what its name and type say, and how much of
    the corpus has it. Of several tiers of the same speech one is chosen. `participants` then limits the result to
    tiers of speakers that match.

    Returns:
        recording name → its chosen tiers, and tier name → why it was chosen (in one file at least) or not. Where only
        words have text, a chosen tier has its words joined, with the times of their phrases.

    Raises:
        U2UError: a pattern matches nothing in any file, or no tier is chosen.
    """
    recordings = list(recordings)
    all_tiers = [tier for recording in recordings for tier in recording.document.tiers]
    must_match("--tiers", "tier", patterns, [t.name for t in all_tiers])
    must_match("--linguistic_types", "linguistic type", linguistic_types, [t.linguistic_type for t in all_tiers])
    must_match("--participants", "participant", participants, [t.participant for t in all_tiers])
    documents = [recording.document.tiers for recording in recordings]
    if patterns or linguistic_types:
        decisions = [picked_by_pattern(tiers, patterns, linguistic_types) for tiers in documents]
    else:
        decisions = _picked_by_evidence(gather(documents))
    chosen: dict[str, list[Tier]] = {}
    why: dict[str, str] = {}
    for recording, (picked, reasons) in zip(recordings, decisions, strict=True):
        if participants:
            left = [t for t in picked if matches(t.participant, participants)]
            others = {t.name for t in picked} - {t.name for t in left}
            reasons |= dict.fromkeys(others, "its participant does not match --participants")
            picked = left
        chosen[recording.name] = picked
        # A name that several files have keeps its first reason, unless it is chosen in a later file.
        why = reasons | why | {tier.name: reasons[tier.name] for tier in picked}
    if not any(chosen.values()):
        if drafts := [name for name, reason in why.items() if reason == MACHINE]:
            raise _only_drafts(drafts[0], recordings)
        raise U2UError(f"no tier looks like a transcription: name yours with --tiers ({_listed(why)})")
    return chosen, why


def _only_drafts(name: str, recordings: Iterable[Recording]) -> U2UError:
    """Return the error that tells how a draft of the recogniser, called `name`, becomes a person's transcription."""
    paths = [r.document.path for r in recordings if any(tier.name == name for tier in r.document.tiers)]
    if all(path.lower().endswith(".textgrid") for path in paths):
        how = "correct it in Praat and remove its tiers 'words' and 'unsure'"
    else:
        how = f"correct it in ELAN and give it the type {CORRECTED_TYPE!r} (Tier > Change Tier Attributes)"
    return U2UError(
        f"no tier looks like a transcription; transcribe.py wrote {trimmed(name)}: {how}, or name it with --tiers"
    )


def _listed(why: Mapping[str, str]) -> str:
    rows = [f"{name}: {reason}" for name, reason in why.items()]
    listed = rows[:1]
    for row in rows[1:]:
        if len("; ".join([*listed, row])) > _MOST_LISTED:
            break
        listed.append(row)
    more = [f"{len(rows) - len(listed)} more, see --inspect"] if len(rows) > len(listed) else []
    return "; ".join([*listed, *more]) or "there are none"


def _picked_by_evidence(files: Sequence[Sequence[Evidence]]) -> list[tuple[list[Tier], dict[str, str]]]:
    """Return for each file the tiers that are most likely transcriptions, and tier name → why or why not."""
    refusals = _refusals(files)
    candidates = [
        sorted((e for e in file if not refused[e.tier.name]), key=_rank)
        for file, refused in zip(files, refusals, strict=True)
    ]
    pairs = _pairs(candidates)
    contests = [_contest(file, pairs) for file in candidates]
    winners = _winners(loss for _, losses in contests for loss in losses)
    # Of all files together, because only one file's reason is told.
    outside: Counter[str] = Counter()
    for accepted, _ in contests:
        outside.update({e.tier.name: e.outside for e in accepted})
    result = []
    for file, refused, (accepted, losses) in zip(files, refusals, contests, strict=True):
        empty = _without_text(file)
        absent = {e.tier.name: reason for e in accepted if (reason := _empty_winner(e, empty, winners))}
        reasons = refused | {loss.loser.tier.name: loss.reason for loss in losses}
        reasons |= {e.tier.name: _why(e, outside[e.tier.name]) for e in accepted} | absent
        taken = {e.tier.name: e.tier for e in accepted if e.tier.name not in absent}
        result.append(([taken[e.tier.name] for e in file if e.tier.name in taken], reasons))
    return result


def _why(accepted: Evidence, outside: int) -> str:
    """Return why a tier is used, and how many of its words are not because they lie in no phrase."""
    words = f"; {outside} {'word lies' if outside == 1 else 'words lie'} in none of these and cannot be used"
    return with_remark(accepted.strength + words * bool(outside), accepted.shares_of)


def _rank(evidence: Evidence) -> tuple[bool, float, int]:
    """Return a key for sorting, the best first; of equals the one of the plainer name: ``orth``, ``orth(old)``.

    A draft of the recogniser that a person corrected and gave a type of their own is later than what it was made from.
    """
    was_draft = evidence.tier.annotator == MACHINE_ANNOTATOR
    return not was_draft, -evidence.score, len(evidence.tier.name) if evidence.is_named else 0


def _refusals(files: Sequence[Sequence[Evidence]]) -> list[dict[str, str]]:
    """Return for each file: tier name → why the tier is no candidate, or the empty string."""
    has_better = any(not e.refusal and not e.unlikely for file in files for e in file)
    is_unfinished = any(_unfinished(file) for file in files)
    refusals = []
    for file in files:
        empty = _unfinished(file)
        has_other = any(not e.refusal and not e.unlikely and not e.is_weak for e in file)
        unlikely = {e.tier.name: e.unlikely * (has_better or is_unfinished) for e in file}
        refusals.append(
            {
                # A corrected draft is taken, however little of it there is and whatever it looks like.
                e.tier.name: ""
                if is_corrected_draft(e.tier)
                else e.refusal or unlikely[e.tier.name] or _beside(e, empty, has_other)
                for e in file
            }
        )
    return refusals


def _unfinished(file: Iterable[Evidence]) -> list[Evidence]:
    """Return the tiers of a file that are named like transcriptions and empty, if no such tier has text."""
    named = [e for e in file if e.is_named and not e.phrases and e.tier.linguistic_type not in MACHINE_TYPES]
    return [] if any(has_text(e.tier) for e in named) else named


def _beside(evidence: Evidence, unfinished: Sequence[Evidence], has_other: bool) -> str:
    """Return why a tier is not taken in place of an empty transcription, or why its name stands against it.

    Args:
        unfinished: from `_unfinished`.
        has_other: the file has a candidate whose name does not speak against it.
    """
    if evidence.is_named or evidence.phrases:
        return ""
    for empty in unfinished[:_MOST_LAYERS]:
        is_same_speaker = evidence.tier.participant and evidence.tier.participant == empty.tier.participant
        if evidence.root == empty.root or is_same_speaker or evidence.content.language:
            return f"is beside {empty.tier.name!r}, which is named like a transcription and has no text"
    if evidence.is_weak and has_other:
        return f"looks like something else ({evidence.hint.word!r} in its name or type)"
    return ""


def _pairs(candidates: Iterable[Sequence[Evidence]]) -> _Pairs:
    """Return how tiers of one file that do not depend on each other lie in each other, over all files."""
    pairs: dict[tuple[str, str], Layers] = defaultdict(Layers)
    for file in candidates:
        for inner in file[:_MOST_LAYERS]:
            for outer in file[:_MOST_LAYERS]:
                if inner.root != outer.root and not _are_two_people(inner, outer):
                    pairs[inner.tier.name, outer.tier.name] += layers(inner.tier, outer.tier)
    return pairs


def _contest(candidates: Sequence[Evidence], pairs: _Pairs) -> tuple[list[Evidence], list[_Loss]]:
    """Return the best candidates of one file, no two of the same speech, and the others.

    Args:
        candidates: the best first.
    """
    accepted: list[Evidence] = []
    losses: list[_Loss] = []
    related: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    named: list[Evidence] = []
    named_speakers: dict[str, set[str]] = defaultdict(set)  # linguistic type → participants of `named`
    for one in candidates:
        own = [("tree", one.root), *([("speaker", one.tier.participant)] if one.tier.participant else [])]
        rivals = [*(rival for key in own for rival in related[key][:_MOST_LAYERS]), *accepted[:_MOST_LAYERS]]
        loss = next((_Loss(one, other, reason) for other in rivals if (reason := _conflict(one, other, pairs))), None)
        if not loss and named and not one.is_named and not _is_type_of(one, named_speakers):
            loss = _Loss(one, named[0], f"{named[0].tier.name!r} is named like a transcription")
        if loss:
            losses.append(loss)
            continue
        accepted.append(one)
        if one.is_named:
            named.append(one)
            named_speakers[one.tier.linguistic_type].add(one.tier.participant)
        for key in own:
            related[key].append(one)
    return accepted, losses


def _is_type_of(one: Evidence, named: Mapping[str, Collection[str]]) -> bool:
    """Whether a tier is another speaker's of the same linguistic type as one that is named like a transcription.

    Args:
        named: linguistic type → participants of the tiers that are named like transcriptions.
    """
    speaker, speakers = one.tier.participant, named.get(one.tier.linguistic_type, ())
    return bool(speaker) and len(speakers) > (speaker in speakers)


def _conflict(one: Evidence, accepted: Evidence, pairs: _Pairs) -> str:
    """Return why a tier is of the same speech as an accepted one, or the empty string."""
    name = accepted.tier.name
    if name in one.ancestors:
        return f"{_BELOW} {name!r}"
    used = f"{_SAME} {name!r}, which is used"
    if one.tier.name in accepted.ancestors:
        return used
    if one.root == accepted.root or (one.tier.participant and one.tier.participant == accepted.tier.participant):
        return used if overlap(one.tier, accepted.tier) >= 0.5 else ""
    if _are_two_people(one, accepted):
        return ""
    if any(pairs.get(pair, Layers()).are_one for pair in ((one.tier.name, name), (name, one.tier.name))):
        return used
    if min(_count(one), _count(accepted)) < _FEWEST:
        return ""
    return f"lies over {name!r}, which is used" if overlap(one.tier, accepted.tier) >= 0.8 else ""


def _are_two_people(one: Evidence, other: Evidence) -> bool:
    """Whether both tiers name their participant, and not the same."""
    people = one.tier.participant, other.tier.participant
    return all(people) and people[0] != people[1]


def _count(evidence: Evidence) -> int:
    return sum(bool(a.value.strip()) for a in evidence.tier.annotations)


def _winners(losses: Iterable[_Loss]) -> dict[Hashable, set[Hashable]]:
    """Return kind of tier → the kinds that were preferred to it in any file, as versions of the same speech."""
    winners: dict[Hashable, set[Hashable]] = defaultdict(set)
    for loss in losses:
        if loss.is_same_speech:
            winners[loss.loser.kind].add(loss.winner.kind)
    return winners


def _without_text(file: Iterable[Evidence]) -> dict[tuple[str, str], list[Evidence]]:
    """Return tree or speaker → the tiers of a file that have no text."""
    empty: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for one in file:
        if not has_text(one.tier):
            empty["tree", one.root].append(one)
            empty["speaker", one.tier.participant].append(one)
    return empty


def _empty_winner(
    one: Evidence, empty: Mapping[tuple[str, str], Sequence[Evidence]], winners: Mapping[Hashable, set[Hashable]]
) -> str:
    """Return why a tier is not taken where the one that is preferred to it in other files is empty.

    Args:
        empty: from `_without_text`.
    """
    for key in (("tree", one.root), ("speaker", one.tier.participant)):
        for other in empty.get(key, ())[:_MOST_LAYERS]:
            if other.kind in winners.get(one.kind, ()):
                return f"{other.tier.name!r} is used in other files, and has no text in this one"
    return ""
