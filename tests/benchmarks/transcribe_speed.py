"""Transcribing a stereo recording on a processor: ours beside transformers' pipeline and a plain loop, in one run.

    python tests/benchmarks/transcribe_speed.py --folder /somewhere/with/4/GB --minutes 30

A model of base size (95 million parameters; random weights, for their value does not change the time) hears the demo
corpus' speech, repeated, 48 kHz stereo. Each is a process of its own, start-up included:

- ours: recipes/transcribe.py with the exported int8 model, from the .wav to the .eaf;
- the loop: the same recipe with the model as it was trained, in float32: the same segments one after the other;
- the pipeline: transformers' automatic-speech-recognition, float32, in chunks of 20 s, channel by channel, which
  resamples by itself and hears the silence, too.

The real-time factor is per second of speech in a channel. How often the int8 model writes something else than the
trained one says nothing with random weights: it is measured with --model, a trained one, on the same recording.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import soundfile
import torch

PROJECT = Path(__file__).parents[2]
PIPELINE = """
import sys, soundfile, torch, torchaudio
from transformers import pipeline
write = pipeline("automatic-speech-recognition", sys.argv[1])
samples, rate = soundfile.read(sys.argv[2], dtype="float32", always_2d=True)
for channel in torchaudio.functional.resample(torch.from_numpy(samples.T.copy()), rate, 16000):
    write({"raw": channel.numpy(), "sampling_rate": 16000}, chunk_length_s=20)
"""


def make_recording(path: Path, minutes: int) -> None:
    from u2u_hf.demo.corpus import make_demo_corpus

    make_demo_corpus(path.parent / "demo", recordings=4, new_recordings=0)
    parts = [
        soundfile.read(p, dtype="int16") for p in sorted((path.parent / "demo" / "corpus" / "audio").glob("*.wav"))
    ]
    rate = parts[0][1]
    once = np.concatenate([samples for samples, _ in parts])
    length = minutes * 60 * rate
    soundfile.write(path, np.tile(once, (-(-length // len(once)), 1))[:length], rate)


def make_model(folder: Path) -> None:
    from transformers import HubertConfig, HubertForCTC, Wav2Vec2FeatureExtractor, Wav2Vec2Processor

    from u2u_hf.publishing.export import export
    from u2u_hf.recognition.model import save_processor
    from u2u_hf.recognition.tokenizer import build_tokenizer

    torch.manual_seed(0)
    tokenizer = build_tokenizer(["abcdefghijklmnopqrstuvwxyz ñ¹²³⁴"])
    HubertForCTC(HubertConfig(vocab_size=len(tokenizer), pad_token_id=0)).save_pretrained(folder)
    save_processor(Wav2Vec2Processor(Wav2Vec2FeatureExtractor(do_normalize=True), tokenizer), folder)
    export(str(folder), folder)


def timed(command: list[object]) -> float:
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, *map(str, command)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return time.perf_counter() - begun


def transcribe(model: Path, recording: Path, output: Path) -> float:
    shutil.rmtree(output, ignore_errors=True)
    recipe = PROJECT / "recipes" / "transcribe.py"
    return timed([recipe, "--model", model, "--output_dir", output, "--formats", "eaf,json", recording])


def segments(output: Path, recording: Path) -> list[dict]:
    return json.loads((output / f"{recording.stem}.json").read_text(encoding="utf-8"))["segments"]


def without_onnx(model: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(model, folder, ignore=shutil.ignore_patterns("onnx", "checkpoint-*"))
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--model", type=Path, help="a trained and exported model, to compare what is written")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    recording, model = args.folder / f"recording_{args.minutes}.wav", args.folder / "base"
    if not recording.exists():
        make_recording(recording, args.minutes)
    if not (model / "onnx" / "export.json").exists():
        make_model(model)
    plain = without_onnx(model, args.folder / "plain")
    seconds = {
        "ours, int8": transcribe(model, recording, args.folder / "ours"),
        "loop, float32": transcribe(plain, recording, args.folder / "loop"),
        "pipeline, float32": timed(["-c", PIPELINE, plain, recording]),
    }
    spoken = sum(s["end_ms"] - s["start_ms"] for s in segments(args.folder / "ours", recording)) / 1000
    threads = torch.get_num_threads()
    print(f"{args.minutes} minutes of 48 kHz stereo, {spoken / 60:.1f} minutes of speech, {threads} threads")
    for name, spent in seconds.items():
        print(f"{name:20} {spent:7.1f} s  real-time factor {spent / spoken:.3f}")
    print(f"the faster of the others takes {min(list(seconds.values())[1:]) / seconds['ours, int8']:.1f} times as long")
    if args.model:
        from u2u_hf.evaluation.metrics import error_rates

        transcribe(args.model, recording, args.folder / "small")
        transcribe(without_onnx(args.model, args.folder / "trained"), recording, args.folder / "full")
        texts = [[s["text"] for s in segments(args.folder / name, recording)] for name in ("small", "full")]
        cer = error_rates(*texts)["cer"]
        print(f"{args.model.name}: in 8 bits {cer:.2%} of the characters turn out otherwise, {len(texts[0])} segments")


if __name__ == "__main__":
    main()
