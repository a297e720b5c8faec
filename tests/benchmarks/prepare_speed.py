"""How fast recipes/prepare.py cuts hours of 48 kHz stereo, beside lhotse on the same files, in one run.

    pip install lhotse && python tests/benchmarks/prepare_speed.py --folder /somewhere/with/10/GB --hours 5

At least three recordings of half an hour (or --minutes) are made from the demo corpus, repeated. Ours is the whole
recipe in a process of its own: start-up, reading the ELAN files, finding channels, cutting, resampling, FLAC in
parquet. lhotse gets the utterances and channels from us, and only cuts, resamples and writes FLAC files, on as many
processes as there are cores. Prints seconds, times real time, peak memory, and the ratio.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

RECIPES = Path(__file__).parents[2] / "recipes"


def make_corpus(folder: Path, hours: float, minutes: int) -> None:
    from u2u_hf.demo.corpus import make_demo_corpus
    from u2u_hf.formats.eaf import read_eaf, write_eaf
    from u2u_hf.records import Annotation, Tier

    make_demo_corpus(folder / "demo", recordings=8, new_recordings=0)
    sources = sorted((folder / "demo" / "corpus" / "audio").glob("*.wav"))
    for index in range(max(3, round(hours * 60 / minutes))):
        source = sources[index % len(sources)]
        samples, rate = soundfile.read(source, dtype="int16")
        document = read_eaf(next((folder / "demo" / "corpus" / "elan").glob(f"{source.stem}_ed*.eaf")))
        times = -(-minutes * 60 * rate // len(samples))
        period_ms = len(samples) * 1000 // rate
        samples = samples[: period_ms * rate // 1000]
        path = folder / "corpus" / f"recording_{index:03d}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, np.tile(samples, (times, 1)), rate, subtype="PCM_16")
        tiers = [
            Tier(
                tier.name,
                tuple(
                    Annotation(a.start_ms + shift, a.end_ms + shift, a.value)
                    for shift in range(0, times * period_ms, period_ms)
                    for a in tier.annotations
                ),
                linguistic_type=tier.linguistic_type,
                participant=tier.participant,
            )
            for tier in document.tiers
            if tier.linguistic_type == "transcription"
        ]
        write_eaf(path.with_suffix(".eaf"), tiers, [path])
    shutil.rmtree(folder / "demo")


def run(command: list[str]) -> tuple[float, float]:
    """(seconds, peak memory of its largest process in GB)"""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: {' '.join(command)}")
    return time.perf_counter() - begun, usage.ru_maxrss / 2**20


def lhotse_export(corpus: Path, utterances: Path, output_dir: Path) -> None:
    from lhotse import CutSet, MonoCut, Recording

    recordings = {path.stem: Recording.from_file(path) for path in sorted(corpus.glob("*.wav"))}
    cuts = [
        MonoCut(
            id=f"{recording}-{channel}-{start}",
            start=start / 1000,
            duration=(end - start) / 1000,
            channel=channel,
            recording=recordings[recording],
        )
        for recording, channel, start, end in json.loads(utterances.read_text())
    ]
    CutSet.from_cuts(cuts).resample(16_000).save_audios(output_dir, format="flac", num_jobs=os.cpu_count())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=5.0)
    parser.add_argument("--minutes", type=int, default=30, help="of a recording")
    parser.add_argument("--lhotse", nargs=3, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.lhotse:
        return lhotse_export(*args.lhotse)
    corpus, ours, theirs = (args.folder / name for name in ("corpus", "ours", "theirs"))
    if not corpus.exists():
        # Apart: the memory that a process has when it starts another counts as that one's.
        with ProcessPoolExecutor(1) as apart:
            apart.submit(make_corpus, args.folder, args.hours, args.minutes).result()
    seconds = sum(soundfile.info(path).duration for path in corpus.glob("*.wav"))
    for folder in (ours, theirs):
        shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, str(RECIPES / "prepare.py"), "--corpus", str(corpus), "--output_dir", str(ours)]
    spent, memory = run([*command, "--allow_repeated_sentences"])

    from u2u_hf.data.dataset import load_splits

    rows = [row for split in load_splits(ours).values() for row in split.remove_columns("audio")]
    listed = [[row["recording"], row["channel"], row["start_ms"], row["end_ms"]] for row in rows]
    (args.folder / "utterances.json").write_text(json.dumps(listed))
    arguments = [corpus, args.folder / "utterances.json", theirs]
    peer = [sys.executable, __file__, "--folder", str(args.folder), "--lhotse", *map(str, arguments)]
    peer_spent, peer_memory = run(peer)
    cut = sum(row["duration"] for row in rows) / 3600
    print(f"{seconds / 3600:.1f} h of 48 kHz stereo, {len(rows)} utterances, {cut:.1f} h; {os.cpu_count()} cores")
    for name, s, m in (("u2u-hf prepare.py", spent, memory), ("lhotse cut export", peer_spent, peer_memory)):
        print(f"{name:18} {s:7.1f} s  {seconds / s:6.0f} × real time  {m:5.2f} GB")
    print(f"lhotse takes {peer_spent / spent:.1f} times as long")


if __name__ == "__main__":
    main()
