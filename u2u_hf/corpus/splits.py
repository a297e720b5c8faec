"""Train, validation and test that do not leak into each other: whole recordings (or speakers) on one side,
and no sentence of the evaluation among the training sentences."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from u2u_hf.records import U2UError, Utterance

SPLITS = ("train", "validation", "test")

_GROUP = {
    "recording": lambda u: u.recording,
    "speaker": lambda u: u.speaker,
    "utterance": lambda u: f"{u.recording}\0{u.tier}\0{u.start_ms}",
}


def split(
    utterances: Sequence[Utterance],
    by: str = "recording",
    validation_share: float = 0.1,
    test_share: float = 0.1,
    seed: int = 0,
    allow_repeated_sentences: bool = False,
    validation_hours: float | None = None,
    test_hours: float | None = None,
) -> tuple[dict[str, list[Utterance]], list[tuple[Utterance, str]]]:
    """Deal groups of utterances into train, validation and test by their hours.

    The order of dealing is a hash of seed and group name, so it depends neither on the order of the files
    nor on the machine, and a corpus that grows keeps most groups where they were.

    Args:
        by: what stays together: ``recording``, ``speaker`` or ``utterance``.
        validation_share, test_share: of all seconds, 0…1; each split gets at least one group.
        allow_repeated_sentences: keep sentences in validation and test that training has too.
        validation_hours, test_hours: in place of the shares, if given.

    Returns:
        the three splits, and what was left out of validation and test with the reason.

    Raises:
        U2UError: too few groups to deal, more hours asked for than there are, or nothing left in a split.
    """
    group_of = _GROUP[by]
    seconds: dict[str, float] = defaultdict(float)
    for utterance in utterances:
        seconds[group_of(utterance)] += utterance.duration
    if len(seconds) < len(SPLITS):
        finer = " (--split_by utterance splits finer)" if by != "utterance" else ""
        raise U2UError(
            f"{len(seconds)} {by}{'' if len(seconds) == 1 else 's'} with usable utterances: "
            f"training, validation and test need one each, so at least three{finer}"
        )

    def shuffled(name: str) -> bytes:
        return hashlib.sha256(f"{seed}\0{name}".encode()).digest()

    order = sorted(seconds, key=shuffled)
    total = sum(seconds.values())
    wanted = {
        "test": test_share * total if test_hours is None else test_hours * 3600,
        "validation": validation_share * total if validation_hours is None else validation_hours * 3600,
    }
    if sum(wanted.values()) >= total:
        asked = " and ".join(f"{seconds / 3600:.2f} hours of {name}" for name, seconds in wanted.items())
        raise U2UError(f"{asked} would leave nothing for training: there are {total / 3600:.2f} hours in all")
    side: dict[str, str] = {}
    for name, left_for_others in (("test", 2), ("validation", 1)):
        filled = 0.0
        while (not filled or filled + seconds[order[0]] / 2 < wanted[name]) and len(order) > left_for_others:
            group = order.pop(0)
            side[group] = name
            filled += seconds[group]
    result: dict[str, list[Utterance]] = {name: [] for name in SPLITS}
    for utterance in utterances:
        result[side.get(group_of(utterance), "train")].append(utterance)

    dropped: list[tuple[Utterance, str]] = []
    if not allow_repeated_sentences:
        for name, others in (("test", ("train",)), ("validation", ("train", "test"))):
            for other in others:
                seen = {u.text for u in result[other]}
                dropped += [
                    (u, f"in {name}, but the same sentence is in {other}") for u in result[name] if u.text in seen
                ]
                result[name] = [u for u in result[name] if u.text not in seen]
            if not result[name]:
                raise U2UError(
                    f"every sentence of {name} is also in training: add --allow_repeated_sentences true "
                    "if that is what you want to measure (a word list read by everybody, for example)"
                )
    return result, dropped
