"""Preparations and corpora that the tests of reports share."""

from collections import Counter

import numpy as np
import soundfile

from support.html_pages import ATTACKS
from u2u_hf.corpus.preparation import Preparation
from u2u_hf.corpus.reader import Recording
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.records import Annotation, AnnotationDocument, Dropped, Skipped, Tier, U2UError, Utterance


def utterance(text, start_ms=0, seconds=1.0, recording="story", tier="tx", speaker="ANA", raw=None):
    end_ms = start_ms + round(seconds * 1000)
    return Utterance(recording, "story.wav", tier, speaker, 0, start_ms, end_ms, text if raw is None else raw, text)


def prepared(splits, dropped=(), recordings=(), tiers=None, why=None, skipped=(), **more):
    given = {"choices": [], "touched": Counter(), "examples": {}, "audio_problem": False} | more
    return Preparation(list(recordings), list(skipped), tiers or {}, why or {}, splits, list(dropped), **given)


def recording(name, *tiers, path="", audio="story.wav", origin_ms=0):
    return Recording(name, AnnotationDocument(str(path or f"{name}.eaf"), (), tiers), audio, origin_ms)


def attacked():
    """Return a preparation in which every name and text is an attack."""
    kept = [
        utterance(attack, 1000 * i, recording=attack, tier=attack, speaker=attack)
        for i, attack in enumerate(ATTACKS * 3)
    ]
    tiers = [Tier(a, (Annotation(0, 1000, a),), a, a) for a in ATTACKS]
    return prepared(
        {"train": kept[:20], "validation": kept[20:30], "test": kept[30:]},
        dropped=[Dropped(utterance(a * 60, 77, tier=a, raw=a), a, a) for a in ATTACKS],
        recordings=[recording(a, tier, audio=a) for a, tier in zip(ATTACKS, tiers, strict=True)],
        tiers={a: [tier] for a, tier in zip(ATTACKS, tiers, strict=True)},
        why=dict(zip(ATTACKS, ATTACKS, strict=True)),
        skipped=[Skipped(a, a) for a in ATTACKS],
        touched=Counter({a: 3 for a in ATTACKS}),
        examples={a: (a, a) for a in ATTACKS},
        problem=U2UError("".join(ATTACKS)),
    )


def write_odd_corpus(folder):
    """Write four recordings of ten annotations; one has a Cyrillic а, a no-break space, markup and a bad time."""
    folder.mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, 40 * 8000)
    for name in "abcd":
        soundfile.write(folder / f"{name}.wav", noise, 8000)
        texts = [f"ka{'na' * (i % 3 + 2)} {name}ali tu{i}" for i in range(10)]
        if name == "c":
            texts[2:6] = ["kаna", "<b>bold</b>", "ka\u00a0na", "kana " * 18]
        rows = [Annotation(i * 3000, i * 3000 + 1000, text) for i, text in enumerate(texts)]
        tiers = [
            Tier("ANA transcription", tuple(rows), "utterance", "ANA"),
            Tier("ANA translation", (Annotation(0, 1000, "<hand> & foot"),), "translation", "ANA"),
        ]
        write_eaf(folder / f"{name}.eaf", tiers, [folder / f"{name}.wav"])
    soundfile.write(folder / "alone.wav", noise, 8000)
    (folder / "broken.eaf").write_text("<", encoding="utf-8")
    return folder
