"""Train, validation and test splits that do not leak into each other.

Whole recordings (or speakers) go to one split, and no sentence of validation or test is in train. A recording is its
sound, whatever annotation files it has; its split follows from its own name, so that it stays there in a corpus that
grows, as far as the sizes of the splits allow.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from u2u_hf.corpus.linked_names import first_of_linked
from u2u_hf.corpus.pairing import fold, sound_names
from u2u_hf.corpus.split_table import SPLITS, Sides, pinned_groups, spellings
from u2u_hf.records import Dropped, U2UError, Utterance

# From which part of a split's share to how many times of it every recording stays where its name puts it. The wider,
# the fewer recordings change sides as a corpus grows. The second is for few recordings, each longer than the share,
# where the wider range would keep half of the corpus from training, and for sizes given in hours.
_RANGE, _NARROW_RANGE = (0.25, 2.0), (0.8, 1.2)
_FAR = 0.5  # of the size asked for: a split that is off by more is said
_STEP = 0.02  # of all seconds: smaller differences in the sizes of splits move no recording
_MOST_FOR_PAIRS = 60  # groups; moving two at a time matters where there are few


@dataclass(frozen=True)
class SplitSettings:
    """How utterances are divided.

    Attributes:
        by: what is never divided: ``recording``, ``speaker`` or ``utterance``.
        validation_share, test_share: of all seconds, 0…1; each split gets at least one group.
        validation_hours, test_hours: replace the shares, if given.
        allow_repeated_sentences: keep sentences in validation and test that train has too.
        seed: random seed.
        pinned: folded name of a recording (or speaker) → its split, from `split_table.read_sides`.
        folders: that the corpus was read from; see `sound_names`.
    """

    by: str = "recording"
    validation_share: float = 0.1
    test_share: float = 0.1
    validation_hours: float | None = None
    test_hours: float | None = None
    allow_repeated_sentences: bool = False
    seed: int = 0
    pinned: Sides = field(default_factory=dict)
    folders: Sequence[str] = ()


def split(utterances: Sequence[Utterance], settings: SplitSettings) -> tuple[dict[str, list[Utterance]], list[Dropped]]:
    """Divide utterances into train, validation and test.

    Returns:
        the three splits, and the utterances dropped from validation and test.

    Raises:
        U2UError: fewer than three groups, more hours asked for than there are, or a split without utterances.
    """
    side_of, group_of = sides(utterances, settings), _groups(utterances, settings)
    splits: dict[str, list[Utterance]] = {name: [] for name in SPLITS}
    for utterance in utterances:
        splits[side_of[group_of(utterance)]].append(utterance)
    return (splits, []) if settings.allow_repeated_sentences else _without_repeated_sentences(splits)


def sides(utterances: Sequence[Utterance], settings: SplitSettings) -> dict[str, str]:
    """Return the split of each group: of each sound by its own name, each speaker, or each utterance.

    A hash of seed and name gives each group a place from 0 to 1. The places up to the test share are test, those from
    1 − the validation share on are validation. Only if a split is empty, or much smaller or larger than asked for, the
    fewest groups are moved that bring the sizes as near as they can be.

    Raises:
        U2UError: fewer than three groups, more hours asked for than there are, or `pinned` leaves a split empty.
    """
    group_of = _groups(utterances, settings)
    seconds = _seconds_by_group(utterances, group_of, settings.by)
    wanted = _wanted_seconds(sum(seconds.values()), settings)
    hours = {"test": settings.test_hours, "validation": settings.validation_hours}
    exact = {name for name, given in hours.items() if given is not None}
    pinned = pinned_groups(utterances, group_of, settings.by, settings.pinned)
    return _divide(seconds, wanted, exact, settings.seed, pinned)


def members(utterances: Sequence[Utterance], settings: SplitSettings) -> dict[str, list[str]]:
    """Return each group of `sides` by its name, and its audio files, sorted."""
    group_of = _groups(utterances, settings)
    found: dict[str, set[str]] = defaultdict(set)
    for utterance in utterances:
        found[group_of(utterance)].add(utterance.audio)
    return {group: sorted(audio) for group, audio in sorted(found.items())}


def _groups(utterances: Sequence[Utterance], settings: SplitSettings) -> Callable[[Utterance], str]:
    """Return the function from an utterance to the name of its group."""
    if settings.by == "speaker":
        return lambda u: u.speaker
    name_of = _sound_groups(utterances, settings.folders)
    if settings.by == "recording":
        return lambda u: name_of[u.audio]
    return lambda u: f"{name_of[u.audio]}\0{u.tier}\0{u.start_ms}"


def _sound_groups(utterances: Iterable[Utterance], folders: Sequence[str]) -> dict[str, str]:
    """Return audio file → name of its sound; files of one annotation file (a microphone for each speaker) are one."""
    audio_of: dict[str, set[str]] = defaultdict(set)
    for utterance in utterances:
        audio_of[utterance.recording].add(utterance.audio)
    names = sound_names(sorted(set().union(*audio_of.values())), folders)
    first = first_of_linked({names[path] for path in together} for together in audio_of.values())
    return {path: first[name] for path, name in names.items()}


def _seconds_by_group(
    utterances: Sequence[Utterance], group_of: Callable[[Utterance], str], by: str
) -> dict[str, float]:
    """Return the seconds of speech of each group.

    Raises:
        U2UError: there are fewer than three.
    """
    seconds: dict[str, float] = defaultdict(float)
    for utterance in utterances:
        seconds[group_of(utterance)] += utterance.duration
    if len(seconds) < len(SPLITS):
        finer = " (--split_by utterance makes smaller groups)" if by != "utterance" else ""
        raise U2UError(
            f"{len(seconds)} {by}{'' if len(seconds) == 1 else 's'} with usable utterances: "
            f"train, validation and test need one each, so at least three{finer}"
        )
    return seconds


def _wanted_seconds(total: float, settings: SplitSettings) -> dict[str, float]:
    """Return how many of `total` seconds test and validation should get.

    Raises:
        U2UError: together all of them.
    """
    asked = {
        "test": (settings.test_hours, settings.test_share),
        "validation": (settings.validation_hours, settings.validation_share),
    }
    wanted = {name: share * total if hours is None else hours * 3600 for name, (hours, share) in asked.items()}
    if sum(wanted.values()) >= total:
        listed = " and ".join(f"{seconds / 3600:.2f} hours of {name}" for name, seconds in wanted.items())
        raise U2UError(f"{listed} would leave nothing for training: there are {total / 3600:.2f} hours in all")
    return wanted


def _divide(
    seconds: Mapping[str, float], wanted: Mapping[str, float], exact: Container[str], seed: int, pinned: Sides
) -> dict[str, str]:
    """Return the split of each group.

    Raises:
        U2UError: `pinned` leaves a split empty.
    """
    total = sum(seconds.values()) or 1.0
    place = {group: _place(seed, group) for group in seconds}
    dealt = {group: pinned.get(group) or _natural(place[group], wanted, total) for group in seconds}
    free = [group for group in seconds if group not in pinned]
    typical = total / len(seconds)
    ranges = {name: _NARROW_RANGE if name in exact or typical > want else _RANGE for name, want in wanted.items()}
    table = _Table(dealt, seconds, wanted, ranges, place, free)
    while moves := table.best_moves():
        for group, name in moves:
            table.side_of[group] = name
    if missing := [name for name in SPLITS if name not in table.side_of.values()]:
        raise U2UError(f"--splits: leaves no recording for {' and '.join(missing)}: pin fewer of them")
    return table.side_of


def _place(seed: int, group: str) -> float:
    digest = hashlib.sha256(f"{seed}\0{fold(group)}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _natural(place: float, wanted: Mapping[str, float], total: float) -> str:
    if place < wanted["test"] / total:
        return "test"
    return "validation" if place >= 1 - wanted["validation"] / total else "train"


_Move = tuple[str, str]  # a group, and the split that it goes to


@dataclass
class _Table:
    """Groups in splits, and what is to be gained by moving some of those that are `free`.

    Attributes:
        seconds: of each group. wanted: seconds of test and validation.
        ranges: split → from which to which part of `wanted` it may have.
        place: of each group, 0 to 1.
    """

    side_of: dict[str, str]
    seconds: Mapping[str, float]
    wanted: Mapping[str, float]
    ranges: Mapping[str, tuple[float, float]]
    place: Mapping[str, float]
    free: Sequence[str]

    def best_moves(self) -> list[_Move]:
        """Return the one move, or the two, that bring the sizes of splits nearest to those wanted; none if none do."""
        sizes, counts = self._sizes()
        now = self._cost(sizes, counts)
        single = [[move] for move in self._moves()]
        if not any(now) or not single:
            return []
        best = min(single, key=lambda moves: self._rank(moves, sizes, counts))
        if self._rank(best, sizes, counts)[0] >= now and len(self.seconds) <= _MOST_FOR_PAIRS:
            pairs = ([a, b] for (a,), (b,) in itertools.combinations(single, 2) if a[0] != b[0])
            best = min(pairs, key=lambda moves: self._rank(moves, sizes, counts), default=best)
        return best if self._rank(best, sizes, counts)[0] < now else []

    def _moves(self) -> Iterator[_Move]:
        return ((group, name) for group in self.free for name in SPLITS if name != self.side_of[group])

    def _sizes(self) -> tuple[dict[str, float], dict[str, int]]:
        sizes, counts = dict.fromkeys(SPLITS, 0.0), dict.fromkeys(SPLITS, 0)
        for group, name in self.side_of.items():
            sizes[name] += self.seconds[group]
            counts[name] += 1
        return sizes, counts

    def _rank(
        self, moves: Sequence[_Move], sizes: Mapping[str, float], counts: Mapping[str, int]
    ) -> tuple[tuple[int, int], float]:
        """Return the cost after some moves, and how far the groups are from the places of their new splits."""
        sizes, counts = dict(sizes), dict(counts)
        for group, name in moves:
            sizes[self.side_of[group]] -= self.seconds[group]
            counts[self.side_of[group]] -= 1
            sizes[name] += self.seconds[group]
            counts[name] += 1
        return self._cost(sizes, counts), sum(self._distance(*move) for move in moves)

    def _cost(self, sizes: Mapping[str, float], counts: Mapping[str, int]) -> tuple[int, int]:
        """Return how many splits are empty, and how far the sizes of the others are out of their ranges."""
        off = 0.0
        for name, (least, most) in self.ranges.items():
            off += max(0.0, sizes[name] - most * self.wanted[name], least * self.wanted[name] - sizes[name])
        return sum(not count for count in counts.values()), round(off / (sum(sizes.values()) or 1.0) / _STEP)

    def _distance(self, group: str, name: str) -> float:
        place = self.place[group]
        if name == "train":  # the last that came into its split goes first
            return 1 - place if self.side_of[group] == "test" else place
        return place if name == "test" else 1 - place


def remarks(splits: Mapping[str, Sequence[Utterance]], settings: SplitSettings) -> list[str]:
    """Return a line for each split whose size is far from that asked for, and one for names that `pinned` has alone."""
    rows = [u for name in SPLITS for u in splits.get(name, ())]
    seconds = {name: sum(u.duration for u in splits.get(name, ())) for name in SPLITS}
    if not (total := sum(seconds.values())):
        return []
    group_of = _groups(rows, settings)
    count = len({group_of(u) for u in rows})
    lines = [
        f"{name} has {seconds[name] / total:.0%} of the speech, not {want / total:.0%}: "
        f"each {settings.by} stays whole, and there are {count}"
        for name, want in _wanted_seconds(total, settings).items()
        if want and abs(seconds[name] - want) > _FAR * want  # with none asked for, it has what a table gives it
    ]
    known = {fold(group_of(u)) for u in rows} | {name for u in rows for name in (*spellings(u), fold(u.speaker))}
    if gone := [name for name in settings.pinned if name not in known]:
        lines.append(f"--splits names what has no utterance here: {', '.join(gone[:5])}{', …' * (len(gone) > 5)}")
    return lines


def _without_repeated_sentences(
    splits: dict[str, list[Utterance]],
) -> tuple[dict[str, list[Utterance]], list[Dropped]]:
    """Drop utterances of test and validation whose sentence train has, or of validation whose sentence test has.

    Raises:
        U2UError: test or validation has no utterance left.
    """
    splits, dropped = dict(splits), []
    for name, others in (("test", ("train",)), ("validation", ("train", "test"))):
        for other in others:
            seen = {u.text for u in splits[other]}
            reason = f"in {name}, but the same sentence is in {other}"
            dropped += [Dropped(u, reason) for u in splits[name] if u.text in seen]
            splits[name] = [u for u in splits[name] if u.text not in seen]
        if not splits[name]:
            raise U2UError(
                f"every sentence of {name} is also in training: add --allow_repeated_sentences "
                "if that is what you want to measure (a word list read by everybody, for example)"
            )
    return splits, dropped
