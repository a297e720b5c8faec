"""What speaks for and against each tier of a corpus as the transcription: place, looks, times, name, other files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from u2u_hf.corpus.tier_content import UNLIKELY, Content, Look, content
from u2u_hf.corpus.tier_names import Hint, Role, hint, own_name
from u2u_hf.corpus.tier_times import are_apart, has_shared_times, joined, within
from u2u_hf.records import CORRECTED_TYPE, MACHINE_ANNOTATOR, MACHINE_TYPES, Tier, trimmed

MACHINE = "written by a machine"
CORRECTED = "is a draft that a person corrected"
_NOTHING = Content(Look.NOTHING)
_LONG_MS = 20_000  # the longest utterance that is prepared, unless the user asks for longer ones
_SEVERAL = 1.3  # words of a phrase, in the mean
_CONTRADICTED = (Role.REFERENCE, Role.WORDS, Role.SOUNDS)  # names that sentences contradict


@dataclass(frozen=True)
class Evidence:
    """What is known of one tier of one file.

    Attributes:
        tier: as it would be used: the words of phrases are joined.
        phrases: the name of the tier whose times joined words get, or the empty string.
        root: the name of the independent tier that this one depends on, or its own.
        ancestors: names of parent, grandparent…
        kind: tiers of one kind are pooled over all files of the corpus.
        outside: how many of its words lie in no phrase, and are in no joined annotation.
        content: of all tiers of the kind.
        coverage: 0 to 1: time with text of tiers that say the same of themselves (the fullest of each file), as a share
            of the most that any have.
        shares_of: the tier of whose times these are equal shares, or the empty string.
        is_person: what its name says is the speaker's name, because a tier below it has the whole name and more.
    """

    tier: Tier
    hint: Hint
    kind: Hashable
    root: str
    ancestors: tuple[str, ...] = ()
    phrases: str = ""
    outside: int = 0
    content: Content = _NOTHING
    coverage: float = 0.0
    shares_of: str = ""
    is_person: bool = False

    @property
    def is_named(self) -> bool:
        """Whether its name or type is one of transcriptions."""
        return self.hint.role is Role.TRANSCRIPTION

    @property
    def is_contradicted(self) -> bool:
        """Whether name or type say that it is something else, but it holds sentences, or the words of a list."""
        if self.hint.role is Role.WORDS and self.content.look is Look.WORDS and not self.phrases:
            return not self.tier.parent and are_apart(self.tier)
        by_person = self.is_person and self.hint.role is not Role.TRANSLATION
        says_otherwise = self.hint.is_other and (by_person or self.hint.role in _CONTRADICTED)
        return says_otherwise and self.content.look is Look.SENTENCES and not self.phrases

    @property
    def is_weak(self) -> bool:
        """Whether only what it holds speaks against a name of something else."""
        return self.is_contradicted and not self.hint.by_type and not self.is_person

    @property
    def score(self) -> float:
        """How likely the tier is the transcription, beside others of the same speech."""
        points = 5 * self.coverage
        points += {Look.SENTENCES: 2, Look.WORDS: 0}.get(self.content.look, -6)
        points += 4 * self.is_named - 2 * self.is_contradicted + bool(self.phrases)
        points += 2 * (not self.tier.parent)
        points -= 5 * bool(self.shares_of) + 2 * bool(self.content.language)
        spans = [a.end_ms - a.start_ms for a in self.tier.annotations if a.value.strip()]
        return points - 3 * (sum(spans) > _LONG_MS * len(spans))

    @property
    def refusal(self) -> str:
        """Why the tier cannot be a transcription, whatever the others are, or the empty string."""
        if self.tier.linguistic_type in MACHINE_TYPES:
            return MACHINE
        if not has_text(self.tier):
            return "has no text"
        if self.hint.is_other and not self.phrases and not self.is_contradicted:
            return f"looks like something else ({self.hint.word!r} in its name or type)"
        if self.content.look is Look.NUMBERS:
            return f"holds numbers, such as {trimmed(self.content.example, 20)}"
        return ""

    @property
    def unlikely(self) -> str:
        """Why the tier is taken only if there is nothing better, or the empty string."""
        look = self.content.look
        return f"holds {look.value}, such as {trimmed(self.content.example, 20)}" if look in UNLIKELY else ""

    @property
    def strength(self) -> str:
        """Why the tier is chosen."""
        if is_corrected_draft(self.tier):
            return CORRECTED
        if self.phrases:
            return f"its words are joined into the annotations of {self.phrases!r}"
        if self.is_contradicted:
            held = "sentences" if self.content.look is Look.SENTENCES else "words with pauses between them"
            return f"holds {held}, though {self.hint.word!r} is in its {'type' if self.hint.by_type else 'name'}"
        return "named like a transcription" if self.is_named else "has text, and is not below another such tier"


def gather(documents: Iterable[Sequence[Tier]]) -> list[list[Evidence]]:
    """Return the evidence for the tiers of each file of a corpus, in the files' order."""
    files = [_of_file(tiers) for tiers in documents]
    files = _with_content(files)
    files = [_with_joined_words(file) for file in files]
    return _with_coverage(files)


def is_corrected_draft(tier: Tier) -> bool:
    """Return whether a person corrected the recogniser's draft and gave the tier the type for that."""
    is_corrected = tier.linguistic_type == CORRECTED_TYPE and tier.annotator == MACHINE_ANNOTATOR
    return is_corrected and has_text(tier)


def has_text(tier: Tier) -> bool:
    """Return whether any annotation of a tier has text."""
    return any(a.value.strip() for a in tier.annotations)


def with_remark(reason: str, shares_of: str) -> str:
    """Return a reason, and that the times of the tier were measured by nobody if `shares_of` names a tier."""
    return f"{reason}; nobody measured its times: equal shares of those of {shares_of!r}" if shares_of else reason


def shares_of(tier: Tier, tiers: Mapping[str, Tier]) -> str:
    """Return the name of the parent of whose times those of a tier are equal shares, or the empty string."""
    parent = tiers.get(tier.parent)
    return parent.name if parent and has_shared_times(tier, parent) else ""


def _of_file(tiers: Sequence[Tier]) -> list[Evidence]:
    by_name = {tier.name: tier for tier in tiers}
    children: dict[str, list[str]] = defaultdict(list)
    speakers: dict[str, int] = defaultdict(int)
    for tier in tiers:
        children[tier.parent].append(tier.name)
        speakers[tier.participant] += 1
    roots = _roots(by_name)
    found = []
    for tier in tiers:
        is_shared = speakers[tier.participant] > 1
        own = own_name(tier, tier.parent, is_shared)
        found.append(
            Evidence(
                tier=tier,
                hint=hint(tier, tier.parent, is_shared),
                kind=(own, tier.linguistic_type, bool(tier.parent)),
                root=roots[tier.name],
                ancestors=_ancestors(tier, by_name),
                shares_of=shares_of(tier, by_name),
                is_person=not tier.parent and any(_extends(name, tier.name) for name in children[tier.name]),
            )
        )
    return found


def _roots(tiers: Mapping[str, Tier]) -> dict[str, str]:
    """Return the name of the independent tier above each tier, by the tier's name; in linear time."""
    roots: dict[str, str] = {}
    for name, tier in tiers.items():
        path = {name: None}  # in order, and safe from a circle
        while name not in roots and tier.parent in tiers and tier.parent not in path:
            name, tier = tier.parent, tiers[tier.parent]
            path[name] = None
        roots |= dict.fromkeys(path, roots.get(name, name))
    return roots


def _ancestors(tier: Tier, tiers: Mapping[str, Tier]) -> tuple[str, ...]:
    names: list[str] = []
    # Real files nest five deep; the limit keeps a chain of thousands from taking the square of its length.
    while tier.parent in tiers and len(names) < 50:
        names.append(tier.parent)
        tier = tiers[tier.parent]
    return tuple(names)


def _extends(name: str, parent: str) -> bool:
    """Whether a child's name is its parent's whole name of several words and more: ``Ana Gloss translation``."""
    return len(parent.split()) > 1 and name != parent and name.startswith(parent)


def _with_content(files: Sequence[Sequence[Evidence]]) -> list[list[Evidence]]:
    values: dict[Hashable, list[str]] = defaultdict(list)
    for file in files:
        for evidence in file:
            values[evidence.kind] += [a.value for a in evidence.tier.annotations]
    found = {kind: content(row) for kind, row in values.items()}
    return [[replace(evidence, content=found[evidence.kind]) for evidence in file] for file in files]


def _with_joined_words(file: Sequence[Evidence]) -> list[Evidence]:
    """Put the words of phrases that have no text of their own into the phrases' times."""
    phrases = [e for e in file if e.tier.annotations and _is_without_text(e)]
    if not phrases:
        return list(file)
    by_name = {e.tier.name: e for e in phrases}
    numbered = [e for e in phrases if not e.tier.parent][:20]
    return [_joined(e, by_name, numbered) if _is_words(e) else e for e in file]


def _is_without_text(evidence: Evidence) -> bool:
    is_reference = evidence.hint.role is Role.REFERENCE and not evidence.is_contradicted
    return is_reference or evidence.content.look is Look.NUMBERS or not has_text(evidence.tier)


def _is_words(evidence: Evidence) -> bool:
    role, look = evidence.hint.role, evidence.content.look
    is_speech = role is Role.WORDS or (not evidence.hint.is_other and look is Look.WORDS)
    return is_speech and look in (Look.WORDS, Look.SENTENCES) and evidence.tier.linguistic_type not in MACHINE_TYPES


def _joined(words: Evidence, phrases: Mapping[str, Evidence], independent: Sequence[Evidence]) -> Evidence:
    above = phrases.get(words.tier.parent)
    choices = [above] if above else [] if words.tier.parent else independent
    for phrase in choices:
        groups = within(words.tier.annotations, phrase.tier.annotations)
        inside = sum(map(len, groups.values()))
        spans = [a.end_ms - a.start_ms for a in phrase.tier.annotations]
        is_split = inside >= max(_SEVERAL * len(groups), 0.9 * len(words.tier.annotations))
        if is_split and sum(spans) <= _LONG_MS * len(spans):
            look = replace(words.content, look=Look.SENTENCES)
            tier, outside = joined(words.tier, phrase.tier)
            return replace(
                words,
                tier=tier,
                phrases=phrase.tier.name,
                outside=outside,
                content=look,
                shares_of=phrase.shares_of,
            )
    return words


def _with_coverage(files: Sequence[Sequence[Evidence]]) -> list[list[Evidence]]:
    times: dict[Hashable, int] = defaultdict(int)
    for file in files:
        # Of several tiers that say the same, such as two spellings, the fullest counts.
        fullest: dict[Hashable, int] = defaultdict(int)
        for evidence in file:
            if not evidence.refusal and not evidence.unlikely:
                time_ms = sum(a.end_ms - a.start_ms for a in evidence.tier.annotations if a.value.strip())
                claim = _claim(evidence)
                fullest[claim] = max(fullest[claim], time_ms)
        for claim, time_ms in fullest.items():
            times[claim] += time_ms
    most = max([*times.values(), 1])
    return [[replace(e, coverage=max(0, times[_claim(e)]) / most) for e in file] for file in files]


def _claim(evidence: Evidence) -> Hashable:
    """Return what tiers say of themselves, the same for all speakers."""
    if evidence.is_named:
        return evidence.hint.role, evidence.hint.word.casefold(), evidence.tier.linguistic_type
    return evidence.tier.linguistic_type, bool(evidence.tier.parent), evidence.phrases != ""
