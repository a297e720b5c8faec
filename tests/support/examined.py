"""Corpora that were heard by nobody: their measures are set by hand."""

from u2u_hf.corpus.reader import Recording
from u2u_hf.doctor.annotations import Corpus, key_of
from u2u_hf.doctor.examined import Examined
from u2u_hf.doctor.measures import Measure, Neighbour
from u2u_hf.records import AnnotationDocument, Tier, Utterance

# Of texts that are surely wrong.
DECOYS = (40.0, 48.0, 50.0, 50.0, 52.0)


def utterance(number, text="ka ni tla", tier="A", recording="story", channel=0, speaker="", seconds=2.0, every=4):
    """The annotation of this number on its tier: one every four seconds, two seconds long."""
    start_ms = 1000 * every * number + 1000
    speaker = speaker or tier
    return Utterance(
        recording, f"{recording}.wav", tier, speaker, channel, start_ms, start_ms + round(1000 * seconds), text, text
    )


def measured(utterance, cost=5.0, heard=None, **more):
    """How an annotation was heard: by default well, with its text from 60 ms after its start to 100 before its end."""
    given = {
        "heard": utterance.text if heard is None else heard,
        "heard_confidence": 0.9,
        "letters": len(utterance.text),
    }
    given |= {"cost": cost, "spot_cost": cost, "spot_ms": (utterance.start_ms + 60, utterance.end_ms - 100)}
    return Measure(*key_of(utterance), **(given | {"decoys": DECOYS} | more))


def neighbours(*costs):
    """(utterance, cost) → the measures of other texts."""
    return tuple(Neighbour(*key_of(other), cost) for other, cost in costs)


def usual_ones(count=40, tier="A", recording="story", first=100, **more):
    """Annotations in which nothing is wrong, with costs from 4 to 6."""
    rows = [utterance(first + n, f"ta{n:02d} ka ni", tier, recording) for n in range(count)]
    return [(row, measured(row, 4 + 2 * n / count, **more)) for n, row in enumerate(rows)]


def examined(*pairs, annotators=None):
    """A corpus of (utterance, measure) pairs.

    Args:
        annotators: tier → who transcribed it.
    """
    utterances = sorted((one for one, _ in pairs), key=lambda u: (u.recording, u.start_ms))
    recordings, tiers = {}, {}
    for name in {one.recording for one in utterances}:
        own = sorted({one.tier for one in utterances if one.recording == name})
        tiers[name] = [Tier(tier, (), annotator=(annotators or {}).get(tier, "")) for tier in own]
        recordings[name] = Recording(name, AnnotationDocument(f"{name}.eaf", (), tuple(tiers[name])), f"{name}.wav")
    return Examined(Corpus(recordings, tiers, utterances, [], []), [measure for _, measure in pairs])
