"""A synthetic corpus with the habits of real ones, for the demonstration and the tests. No person speaks in it.

eSpeak NG's voice of Classical Nahuatl speaks sentences of a small lexicon. A recording has two speakers, one on each
channel of a 48 kHz stereo file, with cross-talk and noise. The ELAN files look as if from another computer (Windows
media paths, an ``_ed-`` suffix on the name), with a transcription and a translation tier for each speaker, a tier of
notes, empty annotations, markup and brackets.
"""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio

from u2u_hf import output_folder
from u2u_hf.demo.espeak import engine
from u2u_hf.files import write_text
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.progress_bar import progress_bar
from u2u_hf.records import Annotation, Tier

VOICE = "nci"
LANGUAGE = "Classical Nahuatl (synthetic, eSpeak NG)"
SAMPLING_RATE = 48_000


@dataclass(frozen=True)
class Speaker:
    """A speaker of the demo: initials, eSpeak NG variant, pitch (0…100), words a minute."""

    name: str
    variant: str
    pitch: int
    rate: int


SPEAKERS = (
    Speaker("AR", "f2", 52, 150),
    Speaker("BM", "m3", 45, 160),
    Speaker("CX", "f4", 58, 140),
    Speaker("DT", "m7", 50, 155),
    Speaker("EL", "steph", 50, 165),
    Speaker("FO", "max", 42, 145),
)

WHO = {
    "in cihuatl": "the woman", "in oquichtli": "the man", "in piltontli": "the child", "in ichpochtli": "the girl",
    "in telpochtli": "the young man", "in ticitl": "the healer", "in tlatoani": "the ruler",
    "in pochtecatl": "the merchant", "in itzcuintli": "the dog", "nonantzin": "my mother", "notatzin": "my father",
}  # fmt: skip
DOES = {
    "quitta": "sees", "quichihua": "makes", "quicua": "eats", "quitlazotla": "loves", "quinamaca": "sells",
    "quicohua": "buys", "quitemoa": "looks for", "quihuica": "carries", "quitlalia": "puts down",
}  # fmt: skip
WHAT = {
    "tlaxcalli": "tortillas", "xochitl": "flowers", "cintli": "maize", "etl": "beans", "michin": "fish",
    "totolin": "a turkey", "petlatl": "a mat", "comitl": "a pot", "tilmatli": "a cloak", "amoxtli": "a book",
    "atl": "water", "iztatl": "salt", "tetl": "a stone", "cuahuitl": "wood", "chilli": "chilli",
}  # fmt: skip
WHERE = {
    "tianquizco": "in the market", "milpan": "in the field", "atenco": "at the river", "nican": "here",
    "oncan": "there", "calitic": "in the house", "tepeticpac": "on the mountain",
}  # fmt: skip
WHEN = {"axcan": "today", "moztla": "tomorrow", "mochipa": "always"}


def sentence(rng: random.Random) -> tuple[str, str]:
    """Return a sentence and its English translation."""
    who, does, what, where, when = (rng.choice(sorted(table)) for table in (WHO, DOES, WHAT, WHERE, WHEN))
    words, english = [does, who, what], f"{WHO[who]} {DOES[does]} {WHAT[what]}"
    if rng.random() < 0.5:
        words.append(where)
        english += f" {WHERE[where]}"
    if rng.random() < 0.5:
        words.insert(0, when)
        english += f" {WHEN[when]}"
    return " ".join(words), english


@dataclass(frozen=True)
class Turn:
    """One utterance of a demo recording: its text, and how the annotator wrote it."""

    speaker: Speaker
    start_ms: int
    end_ms: int
    text: str
    written: str
    translation: str


def make_demo_corpus(
    folder: Path, recordings: int = 8, new_recordings: int = 2, turns: int = 20, seed: int = 0
) -> None:
    """Write the demo under `folder`; the same seed gives the same corpus.

    - ``corpus/audio/*.wav`` and ``corpus/elan/*.eaf``: what a linguist would have;
    - ``new_recordings/*.wav``: recordings without transcripts, of sentences that are not in the corpus;
    - ``reference/*.eaf``: the plain text of those, to score transcripts against;
    - ``reference/channels.json``: recording → speaker → channel (from 0) of all recordings.

    Raises:
        U2UError: the folder holds something else.
    """
    output_folder.claim(folder, "make_demo_corpus")
    rng = random.Random(seed)
    said: set[str] = set()
    channels: dict[str, dict[str, int]] = {}
    for index in progress_bar(range(recordings + new_recordings), desc="making the demo corpus", unit="recording"):
        new = index >= recordings
        name = f"nci_{'new' if new else 'story'}_{index + 1:02d}"
        pair = rng.sample(SPEAKERS, 2)
        signal, spoken = _conversation(pair, turns, rng, said)
        channels[name] = {speaker.name: side for side, speaker in enumerate(pair)}
        if new:
            spoken = [replace(turn, written=turn.text) for turn in spoken]
            audio, eaf = folder / "new_recordings" / f"{name}.wav", folder / "reference" / f"{name}.eaf"
        else:
            audio, eaf = (
                folder / "corpus" / "audio" / f"{name}.wav",
                folder / "corpus" / "elan" / f"{name}_ed-2025-02-12.eaf",
            )
        audio.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(audio, signal.T, SAMPLING_RATE, subtype="PCM_16")
        write_eaf(
            eaf,
            _tiers(sorted(pair, key=lambda s: s.name), spoken, signal.shape[1] * 1000 // SAMPLING_RATE),
            [audio],
            {"translation": "Symbolic_Association"},
            author="u2u-hf demo, synthetic speech",
        )
        if not new:
            # One file in three refers to its audio by an older name.
            _as_from_windows(eaf, audio.name if index % 3 else f"{name}_original.WAV")
    write_text(folder / "reference" / "channels.json", json.dumps(channels, indent=1) + "\n")


def _conversation(pair: list[Speaker], turns: int, rng: random.Random, said: set[str]) -> tuple[np.ndarray, list[Turn]]:
    """Return two speakers in turn, float32 [2, N] at 48 kHz, the first one left; and their turns."""
    voices: list[list[tuple[int, np.ndarray]]] = [[], []]
    spoken: list[Turn] = []
    at = round(0.6 * SAMPLING_RATE)
    for index in range(turns):
        side = 1 - index % 2 if index > 1 and rng.random() < 0.15 else index % 2  # each speaks at least once
        speaker = pair[side]
        text, translation = sentence(rng)
        while text in said:
            text, translation = sentence(rng)
        said.add(text)
        samples = _say(text, speaker, rng)
        written = text[0].upper() + text[1:] + rng.choice([".", ".", ".", "!", " ..."])
        if index % 9 == 4:
            first, *rest = written.split()
            written = " ".join([f"<i>{first}</i>", *rest])
        if index % 9 == 7:
            written += " [risas]"
        voices[side].append((at, samples))
        end = at + len(samples)
        start_ms, end_ms = (at * 1000 // SAMPLING_RATE - 60, end * 1000 // SAMPLING_RATE + 60)
        spoken.append(Turn(speaker, start_ms, end_ms, text, written, translation))
        at = end + round(rng.uniform(0.35, 1.1) * SAMPLING_RATE)
    length = at + SAMPLING_RATE // 2
    alone = np.zeros((2, length), dtype=np.float32)
    for side, row in enumerate(voices):
        for start, samples in row:
            alone[side, start : start + len(samples)] += samples
    noise = np.random.default_rng(rng.randrange(1 << 30))
    signal = np.empty_like(alone)
    for side in range(2):
        delay = rng.randint(40, 140)  # samples from the other speaker's mouth to this microphone
        leak = 10 ** (-rng.uniform(18, 24) / 20)
        signal[side] = alone[side] + leak * np.roll(alone[1 - side], delay)
        signal[side] += 10 ** (-rng.uniform(46, 52) / 20) * noise.standard_normal(length, dtype=np.float32)
        signal[side] *= 10 ** (-rng.uniform(2, 8) / 20)
    return signal, spoken


def _say(text: str, speaker: Speaker, rng: random.Random) -> np.ndarray:
    """Return one spoken sentence, float32 at 48 kHz, its peak at 0.5."""
    samples = engine().speak(
        text, f"{VOICE}+{speaker.variant}", speaker.rate + rng.randint(-12, 12), speaker.pitch + rng.randint(-6, 6)
    )
    signal = torchaudio.functional.resample(torch.from_numpy(samples), engine().sampling_rate, SAMPLING_RATE)
    audible = torch.nonzero(signal.abs() > 0.01)
    signal = signal[int(audible[0]) : int(audible[-1]) + 1]
    return (signal / signal.abs().max() * 0.5).numpy()


def _tiers(speakers: list[Speaker], spoken: list[Turn], duration_ms: int) -> list[Tier]:
    tiers = []
    for speaker in speakers:
        own = [turn for turn in spoken if turn.speaker == speaker]
        gaps = [(a.end_ms, b.start_ms) for a, b in itertools.pairwise(own) if b.start_ms - a.end_ms > 900]
        empty = [Annotation(start + 300, start + 700, "") for start, _ in gaps[:1]]
        written = [Annotation(t.start_ms, t.end_ms, t.written) for t in own]
        name, common = speaker.name, {"participant": speaker.name, "annotator": "demo"}
        tiers.append(
            Tier(
                f"{name}_transcription",
                tuple(sorted(written + empty, key=lambda a: a.start_ms)),
                linguistic_type="transcription",
                **common,
            )
        )
        tiers.append(
            Tier(
                f"{name}_translation",
                tuple(Annotation(t.start_ms, t.end_ms, t.translation) for t in own),
                linguistic_type="translation",
                parent=f"{name}_transcription",
                **common,
            )
        )
    tiers.append(Tier("notes", (Annotation(0, min(500, duration_ms), "synthetic speech"),), linguistic_type="note"))
    return tiers


def _as_from_windows(eaf: Path, audio_name: str) -> None:
    """Change the .eaf to refer to its audio by a path on another person's computer."""
    lines = eaf.read_text(encoding="utf-8").splitlines()
    for index, line in enumerate(lines):
        if "<MEDIA_DESCRIPTOR" in line:
            lines[index] = (
                f'        <MEDIA_DESCRIPTOR MEDIA_URL="file:///D:/Grabaciones%20de%20campo/{audio_name}" '
                f'MIME_TYPE="audio/x-wav" RELATIVE_MEDIA_URL="..\\Grabaciones de campo\\{audio_name}" />'
            )
    eaf.write_text("\n".join(lines) + "\n", encoding="utf-8")
