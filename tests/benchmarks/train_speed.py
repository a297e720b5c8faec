"""Seconds of audio a second in training: ours beside transformers' CTC example, in one process.

    python tests/benchmarks/train_speed.py

Base size (95 million parameters, random weights), the same utterances, the GPU if there is one. The peer is
what transformers' run_speech_recognition_ctc.py does with its defaults: random batches of so many utterances,
float32, eager attention, its collator, a frozen convolutional encoder. Both train with transformers' Trainer
and read the same FLAC; steps are timed after the first, turn by turn, so that a busy computer slows both.
"""

import argparse
import statistics
import time

import datasets
import numpy as np
import torch
from transformers import (
    HubertConfig,
    HubertForCTC,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Processor,
)

from u2u_hf.data.audio import decode_mono, flac_bytes
from u2u_hf.data.collator import CtcCollator
from u2u_hf.recognition.tokenizer import build_tokenizer
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.trainer import CtcTrainer

PEER = "transformers' example"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def corpus(count: int) -> datasets.Dataset:
    """Noise for speech, in utterances as long as people's: 5 s on average, 1 to 20."""
    rng = np.random.default_rng(0)
    durations = rng.lognormal(1.4, 0.6, count).clip(1, 20).round(2)
    return datasets.Dataset.from_dict(
        {
            "audio": [
                {"bytes": flac_bytes(rng.standard_normal(round(d * 16_000)) * 0.1), "path": "a"} for d in durations
            ],
            "text": ["".join(rng.choice(list(LETTERS), round(d * 12))) for d in durations],
            "duration": durations.tolist(),
        }
    )


class Clock(TrainerCallback):
    """Seconds of each step, and of the audio in it."""

    def __init__(self):
        self.steps: list[tuple[float, float]] = []
        self.audio = 0.0

    def on_step_begin(self, args, state, control, **kwargs):
        self._begun = time.perf_counter()

    def on_step_end(self, args, state, control, **kwargs):
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.steps.append((time.perf_counter() - self._begun, self.audio))


def counted(collator, clock: Clock):
    """A collator that tells the clock how much audio, without padding, the next step has."""

    def collate(rows):
        clock.audio = sum(row["duration"] for row in rows)
        return collator(rows)

    return collate


def padded_as_in_the_example(processor: Wav2Vec2Processor):
    """DataCollatorCTCWithPadding of the example, with the audio read as in ours."""

    def collate(rows):
        audio = [decode_mono(row["audio"]["bytes"]) for row in rows]
        features = [
            {"input_values": processor.feature_extractor(a, sampling_rate=16_000).input_values[0]} for a in audio
        ]
        batch = processor.feature_extractor.pad(features, padding=True, return_tensors="pt")
        labels = processor.tokenizer.pad(
            [{"input_ids": processor.tokenizer(row["text"]).input_ids} for row in rows], return_tensors="pt"
        )
        batch["labels"] = labels["input_ids"].masked_fill(labels["attention_mask"].ne(1), -100)
        return batch

    return collate


def model(processor: Wav2Vec2Processor, attention: str) -> HubertForCTC:
    torch.manual_seed(0)
    config = HubertConfig(
        vocab_size=len(processor.tokenizer), pad_token_id=0, ctc_zero_infinity=True, attn_implementation=attention
    )
    made = HubertForCTC(config)
    made.freeze_feature_encoder()
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=6, help="steps of each, in each of three turns")
    # Eager attention of 16 utterances padded to 20 s takes more memory than most computers have without a GPU.
    seconds, utterances = (75.0, 16) if torch.cuda.is_available() else (28.0, 6)
    parser.add_argument("--batch_seconds", type=float, default=seconds, help="of ours")
    parser.add_argument("--utterances", type=int, default=utterances, help="in a batch of the peer: as many seconds")
    args = parser.parse_args()
    data = corpus(400)
    processor = Wav2Vec2Processor(
        feature_extractor=Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=False),
        tokenizer=build_tokenizer([LETTERS]),
    )
    shared = {
        "output_dir": "unused",
        "save_strategy": "no",
        "report_to": [],
        "remove_unused_columns": False,
        "disable_tqdm": True,
        "logging_strategy": "no",
    }

    def ours(clock, seed):
        settings = CtcTrainingArguments(
            **shared,
            batch_seconds=args.batch_seconds,
            max_steps=args.steps,
            hold_encoder=0.0,
            eval_strategy="no",
            load_best_model_at_end=False,
            seed=seed,
        )
        trainer = CtcTrainer(
            model=model(processor, "sdpa"), args=settings, data_collator=CtcCollator(processor), train_dataset=data,
            processing_class=processor, callbacks=[clock],
        )  # fmt: skip
        loss = trainer.compute_loss

        def compute_loss(model, inputs, *arguments, **settings):
            clock.audio = inputs["frames"].sum().item() * 0.02
            return loss(model, inputs, *arguments, **settings)

        trainer.compute_loss = compute_loss
        return trainer

    def peer(clock, seed):
        settings = TrainingArguments(
            **shared,
            per_device_train_batch_size=args.utterances,
            max_steps=args.steps,
            seed=seed,
            use_cpu=not torch.cuda.is_available(),
        )
        return Trainer(
            model=model(processor, "eager"), args=settings, train_dataset=data, callbacks=[clock],
            data_collator=counted(padded_as_in_the_example(processor), clock),
        )  # fmt: skip

    clocks = {"ours": Clock(), PEER: Clock()}
    memory = dict.fromkeys(clocks, 0.0)
    for turn in range(3):
        for (name, clock), build in zip(clocks.items(), (ours, peer), strict=True):
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            begun = len(clock.steps)
            build(clock, turn).train()
            del clock.steps[begun]  # the first one warms up
            if torch.cuda.is_available():
                memory[name] = max(memory[name], torch.cuda.max_memory_allocated() / 2**30)
    rates = {}
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
    print(f"\n{device}, base size, {sum(len(c.steps) for c in clocks.values())} timed steps")
    for name, clock in clocks.items():
        rates[name] = sum(a for _, a in clock.steps) / sum(t for t, _ in clock.steps)
        step = statistics.median(t for t, _ in clock.steps)
        batch = statistics.mean(a for _, a in clock.steps)
        peak = f", {memory[name]:.1f} GiB at the peak" if memory[name] else ""
        print(f"{name:22} {rates[name]:7.1f} s of audio a second ({batch:.0f} s a step of {step:.2f} s){peak}")
    print(f"ratio {rates['ours'] / rates[PEER]:.2f}")


if __name__ == "__main__":
    main()
