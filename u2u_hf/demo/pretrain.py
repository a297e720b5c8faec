"""The training of the tiny base model: a small HuBERT that learns phones from synthetic speech.

eSpeak NG speaks pseudo-words in many languages, and the model learns with CTC to write their phones (IPA). The language
and speaker variants of the demo corpus are excluded, so that fine-tuning starts from speech that is new to the model.
It is a demonstration model: real work starts from utter-project/mHuBERT-147. The module is long because it
is one program, kept to reproduce the model: nothing else uses its parts.
"""

from __future__ import annotations

import collections
import copy
import json
import multiprocessing
import random
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torchaudio
from transformers import HubertConfig, HubertForCTC, Wav2Vec2FeatureExtractor

from u2u_hf import output_folder
from u2u_hf.demo.corpus import SPEAKERS, VOICE
from u2u_hf.demo.espeak import engine
from u2u_hf.progress_bar import progress_bar, write_line

SAMPLING_RATE = 16_000

LANGUAGES = (
    "af an az bs ca cs cy da de en-US en-GB-scotland eo es es-419 et eu fi fr ga gd gn hr ht hu ia id is it "
    "kl ku la lb lfn lt lv ms mt nb nl om pap pl pt pt-BR qu ro sk sl smj sq sv sw tk tn tr uz"
).split()
VARIANTS = (
    "f1 f2 f3 f4 f5 m1 m2 m3 m4 m5 m6 m7 m8 Alex Andrea Andy Annie Denis Diogo Gene Henrique Hugo Jacky Lee "
    "Marco Mario Michael Mike adam anika antonio aunty belinda benjamin boris caleb david ed edward gustave "
    "ian iven iven2 iven3 john kaukovalta linda marcelo max michel miguel norbert pablo paul pedro quincy rob "
    "robert sandro shelby steph steph2 travis victor klatt klatt2 klatt3 klatt4"
).split()

ONSETS = (
    "p t k b d g m n l r s f v h j w y z x c q ch sh tl tz ts cu hu ñ ll rr ny kw gw ng pr tr kr br dr gr pl kl "
    "bl gl fl st sp sk th"
).split() + [""] * 6
NUCLEI = "a e i o u a e i o u a e i o u aa ee ii oo uu ai au ei ou ia io ua ue á é í ó ú à è ö ü ä".split()
CODAS = [""] * 24 + "n m l r s t k p h x tl tz z c uh ng sh ch f d b g".split()


def pseudo_sentence(rng: random.Random) -> str:
    """Return two to five invented words in Latin letters, of one to four syllables each."""
    return " ".join(
        "".join(
            rng.choice(ONSETS) + rng.choice(NUCLEI) + rng.choice(CODAS)
            for _ in range(rng.choice((1, 2, 2, 2, 3, 3, 4)))
        )
        for _ in range(rng.randint(2, 5))
    )


def broad(phone: str) -> str:
    """Return a phone without length, tone digits and diacritics, which a small model cannot tell apart."""
    kept = (c for c in unicodedata.normalize("NFD", phone) if unicodedata.category(c)[0] == "L" and c not in "ːˑʰʲʷˤ")
    return "".join(kept)


@dataclass(frozen=True)
class Spoken:
    """One synthetic utterance: int16 samples [N] at 16 kHz, and its broad phones."""

    samples: np.ndarray
    phones: tuple[str, ...]


def synthesise(job: tuple[int, int, str | None]) -> list[Spoken]:
    """Speak `count` pseudo-sentences; `job` is (seed, count, language), None for any training language."""
    seed, count, language = job
    rng = random.Random(seed)
    speakers = [variant for variant in VARIANTS if variant not in {s.variant for s in SPEAKERS}]
    spoken: list[Spoken] = []
    while len(spoken) < count:
        voice = f"{language or rng.choice(LANGUAGES)}+{rng.choice(speakers)}"
        text = pseudo_sentence(rng)
        phones = engine().phones(text, voice)
        if any("(" in phone for phone in phones):  # "(en)": the voice switched to another language
            continue
        samples = engine().speak(
            text, voice, rate=rng.randint(110, 240), pitch=rng.randint(20, 80), pitch_range=rng.randint(20, 80)
        )
        signal = torchaudio.functional.resample(torch.from_numpy(samples), engine().sampling_rate, SAMPLING_RATE)
        peak = float(signal.abs().max()) if len(signal) else 0.0
        if peak > 0.01 and 0.5 < len(signal) / SAMPLING_RATE < 5:
            spoken.append(
                Spoken((signal / peak * 30_000).to(torch.int16).numpy(), tuple(filter(None, map(broad, phones))))
            )
    return spoken


def synthesise_hours(hours: float, processes: int, seed: int = 0) -> list[Spoken]:
    """Return about `hours` of training speech, made by `processes` processes: each has one eSpeak NG engine."""
    spoken: list[Spoken] = []
    total = hours * 3600
    with (
        multiprocessing.get_context("spawn").Pool(processes, initializer=torch.set_num_threads, initargs=(1,)) as pool,
        progress_bar(total=round(total), unit="s", desc="speaking") as bar,
    ):
        jobs = ((seed * 1_000_003 + index, 50, None) for index in range(1 << 30))
        for chunk in pool.imap_unordered(synthesise, _bounded(jobs, round(total / 50 / 2))):
            spoken += chunk
            bar.update(round(sum(len(s.samples) for s in chunk) / SAMPLING_RATE))
    return spoken


def _bounded(jobs, count):
    return (job for job, _ in zip(jobs, range(count), strict=False))


def tiny_config(vocab_size: int) -> HubertConfig:
    """Return a HuBERT of 2.6 million parameters, with layer norms, so that padding does not change its output."""
    return HubertConfig(
        vocab_size=vocab_size,
        pad_token_id=0,
        conv_dim=(48, 64, 96, 128, 128, 128, 128),
        hidden_size=192,
        num_hidden_layers=6,
        num_attention_heads=4,
        intermediate_size=576,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        conv_bias=True,
        num_conv_pos_embeddings=32,
        num_conv_pos_embedding_groups=8,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        feat_proj_dropout=0.0,
        final_dropout=0.0,
        layerdrop=0.0,
        apply_spec_augment=False,
        ctc_loss_reduction="mean",
        ctc_zero_infinity=True,
    )


def field_conditions(clean: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return studio speech [B, N] as if recorded in the field: with room, microphone, cross-talk, noise."""
    batch, length = clean.shape
    device = clean.device

    def uniform(low: float, high: float) -> torch.Tensor:
        return torch.rand(batch, 1, device=device, generator=generator) * (high - low) + low

    def level(signal: torch.Tensor) -> torch.Tensor:
        return signal.square().mean(1, keepdim=True).sqrt() + 1e-5

    size = 2 * length
    spectrum = torch.fft.rfft(clean, size)
    # Room: exponentially decaying noise after the direct sound, for half of the batch.
    tail = torch.arange(4800, device=device) / SAMPLING_RATE
    room = torch.randn(batch, 4800, device=device, generator=generator) * torch.exp(-tail / uniform(0.01, 0.06))
    room = room / level(room) / 4800**0.5 * uniform(0.0, 0.7) * (uniform(0, 1) < 0.5)
    room[:, 0] += 1
    spectrum = spectrum * torch.fft.rfft(room, size)
    # Microphone: a smooth response of ±8 dB over the band.
    knots = (torch.rand(batch, 1, 9, device=device, generator=generator) * 16 - 8) * uniform(0, 1)[:, :, None]
    curve = torch.nn.functional.interpolate(knots, size=spectrum.shape[1], mode="linear", align_corners=True)[:, 0]
    speech = torch.fft.irfft(spectrum * 10 ** (curve / 20), size)[:, :length]
    other = speech.roll(1, 0)
    noise = torch.randn(batch, length, device=device, generator=generator)
    tinted = torch.fft.rfft(noise)
    frequency = torch.arange(tinted.shape[1], device=device) / tinted.shape[1]
    noise = torch.fft.irfft(tinted / (frequency + 0.02) ** uniform(0.0, 1.0), length)
    loudness = level(speech)
    mixed = speech + other / level(other) * loudness * 10 ** (-uniform(12, 45) / 20)
    return mixed + noise / level(noise) * loudness * 10 ** (-uniform(5, 45) / 20)


class Batches:
    """Padded batches of near-equal length, kept on `device`.

    `take(size)` gives (input_values [B, N] float32, attention_mask [B, N], labels [B, L], -100 padded).
    """

    def __init__(self, spoken: list[Spoken], vocabulary: dict[str, int], device: str, seed: int = 0):
        self.spoken = sorted(spoken, key=lambda s: len(s.samples))
        self.labels = [torch.tensor([vocabulary[p] for p in s.phones if p in vocabulary]) for s in self.spoken]
        self.device = device
        self.rng = random.Random(seed)
        self.generator = torch.Generator(device).manual_seed(seed)

    def take(self, size: int, augment: bool = True):
        start = self.rng.randrange(max(1, len(self.spoken) - size + 1))
        return self.at(range(start, min(start + size, len(self.spoken))), augment)

    def at(self, indices, augment: bool):
        signals = [torch.from_numpy(self.spoken[i].samples) for i in indices]
        lengths = torch.tensor([len(s) for s in signals], device=self.device)
        padded = torch.nn.utils.rnn.pad_sequence(signals, batch_first=True).to(self.device).float() / 32768
        if augment:
            padded = field_conditions(padded, self.generator)
        mask = (torch.arange(padded.shape[1], device=self.device) < lengths[:, None]).long()
        mean = (padded * mask).sum(1, keepdim=True) / lengths[:, None]
        variance = ((padded - mean).square() * mask).sum(1, keepdim=True) / lengths[:, None]
        normal = (padded - mean) / (variance + 1e-7).sqrt() * mask
        labels = torch.nn.utils.rnn.pad_sequence(
            [self.labels[i] for i in indices], batch_first=True, padding_value=-100
        )
        return normal, mask, labels.to(self.device)


@torch.no_grad()
def phone_error_rate(model: HubertForCTC, batches: Batches) -> float:
    """Return the edit distance over the number of reference phones, on all utterances without field conditions."""
    model.eval()
    errors = total = 0
    for start in range(0, len(batches.spoken), 32):
        values, mask, labels = batches.at(range(start, min(start + 32, len(batches.spoken))), augment=False)
        logits = model(values, attention_mask=mask).logits
        frames = model._get_feat_extract_output_lengths(mask.sum(1))
        for row, count, reference in zip(logits.argmax(-1), frames, labels, strict=True):
            collapsed = torch.unique_consecutive(row[:count])
            hypothesis = collapsed[collapsed != 0].tolist()
            expected = reference[reference >= 0].tolist()
            errors += torchaudio.functional.edit_distance(expected, hypothesis)
            total += len(expected)
    model.train()
    return errors / total


def pretrain(
    output_dir: Path, hours: float, minutes: float, processes: int, batch_size: int, seed: int = 0
) -> dict[str, float | int | str]:
    """Synthesise `hours` of speech, train for `minutes`, write the base model to `output_dir`.

    The learning rate depends on the time spent (warm-up, then a cosine to zero), so any budget ends annealed.

    Returns:
        steps, hours, and phone error rates (0…1) on held-out speech of the training languages and of the demo's
        language.

    Raises:
        U2UError: the folder holds something else.
    """
    output_folder.claim(output_dir, "pretrain.py")
    torch.manual_seed(seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    spoken = synthesise_hours(hours, processes, seed)
    held_out, spoken = spoken[:300], spoken[300:]
    unseen = synthesise((seed + 7, 200, VOICE))
    counts = collections.Counter(phone for s in spoken for phone in s.phones)
    kept = sorted(phone for phone, count in counts.items() if count >= 200 * max(hours, 1) / 10)
    vocabulary = {phone: index + 1 for index, phone in enumerate(kept)}  # 0 is the CTC blank

    model = HubertForCTC(tiny_config(len(vocabulary) + 1)).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.5e-3, betas=(0.9, 0.98), weight_decay=0.01)
    batches = Batches(spoken, vocabulary, device, seed)
    begun, step, loss_mean = time.monotonic(), 0, None
    with progress_bar(total=round(minutes * 60), unit="s", desc=f"training on {device}") as bar:
        while (elapsed := (time.monotonic() - begun) / (minutes * 60)) < 1:
            warm = min(1.0, (step + 1) / 300)
            for group in optimizer.param_groups:
                group["lr"] = 1.5e-3 * warm * 0.5 * (1 + np.cos(np.pi * elapsed))
            values, mask, labels = batches.take(batch_size)
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                loss = model(values, attention_mask=mask, labels=labels).loss
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            if step % 50 == 0:
                loss_mean = loss.item()
                bar.n = round(time.monotonic() - begun)
                bar.set_postfix(step=step, loss=f"{loss_mean:.3f}")
            if step % 500 == 0:
                rate = phone_error_rate(model, Batches(unseen, vocabulary, device))
                write_line(f"step {step}: loss {loss_mean:.3f}, phone error rate in the unseen language {rate:.3f}")
                _save(model, output_dir)

    result = {
        "parameters": sum(p.numel() for p in model.hubert.parameters()),
        "hours": round(sum(len(s.samples) for s in spoken) / SAMPLING_RATE / 3600, 1),
        "utterances": len(spoken),
        "steps": step,
        "minutes": minutes,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "phones": len(vocabulary),
        "final_loss": loss_mean,
        "phone_error_rate_training_languages": phone_error_rate(model, Batches(held_out, vocabulary, device)),
        "phone_error_rate_unseen_language": phone_error_rate(model, Batches(unseen, vocabulary, device)),
    }
    _save(model, output_dir)
    output_folder.write(output_dir / "pretraining.json", json.dumps(result, indent=2) + "\n")
    output_folder.write(output_dir / "README.md", _CARD.format(**result, voice=VOICE))
    return result


_CARD = """---
license: apache-2.0
---

# The tiny model of the demonstration

For demonstration and tests only: real work starts from
[mHuBERT-147](https://huggingface.co/utter-project/mHuBERT-147). No person was recorded for it.

A HuBERT of {parameters:,} parameters, kept in half precision. It learned, with CTC, to write the phones of
{hours} hours ({utterances:,} utterances) of pseudo-words, spoken by eSpeak NG in many languages and voices under
made-up field conditions. The voice of the demo corpus (`{voice}`) and its speakers were not among them.

Made by `python recipes/demo/pretrain.py` in {minutes:g} minutes and {steps:,} steps (device: {device}), with
{phones} phones. Phone error rate at the end: {phone_error_rate_training_languages:.3f} on unheard utterances of the
languages it was trained on, {phone_error_rate_unseen_language:.3f} in the language of the demo.

Licence: Apache 2.0, as the rest of this project.
"""


def _save(model: HubertForCTC, output_dir: Path) -> None:
    """Write the encoder in half precision, without the phone head, which another language cannot use."""
    output_dir.mkdir(parents=True, exist_ok=True)
    copy.deepcopy(model.hubert).half().save_pretrained(output_dir)
    Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True).save_pretrained(output_dir)
