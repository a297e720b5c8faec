"""How quickly the Gradio Space is there, and serves: cold start, first view, ten minutes of stereo, eight people.

    python tests/benchmarks/space_speed.py --folder /somewhere --model a_trained_and_exported_model

Everything as visitors have it: the server in a process of its own, Chromium, gradio's client.
"""

import argparse
import sys
import time
from pathlib import Path

from gradio_client import Client
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.gradio_page import ask, serving
from transcribe_speed import make_recording


def megabytes(process) -> int:
    return round(process.memory_info().rss / 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    long, short = args.folder / "recording_10.wav", args.folder / "recording_1.wav"
    for path, minutes in ((long, 10), (short, 1)):
        if not path.exists():
            make_recording(path, minutes)
    begun = time.perf_counter()
    with serving(args.folder / "space", "--model", args.model.resolve()) as (address, process):
        print(f"cold start to ready: {time.perf_counter() - begun:.1f} s, {megabytes(process)} MB")
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            begun = time.perf_counter()
            page = chromium.new_page()
            page.goto(address)
            page.locator("#transcribe").wait_for()
            print(f"page usable: {time.perf_counter() - begun:.1f} s, {megabytes(process)} MB")
            chromium.close()
        for _ in range(3):
            begun = time.perf_counter()
            said = ask(Client(address, verbose=False), long).result(600)[0]
            print(f"{said} {time.perf_counter() - begun:.1f} s; afterwards {megabytes(process)} MB")
        for _ in range(3):
            begun = time.perf_counter()
            jobs = [ask(Client(address, verbose=False), short) for _ in range(8)]
            served = sum("segments" in job.result(600)[0] for job in jobs)
            spent = time.perf_counter() - begun
            print(f"{served} of 8 people at once served, a minute each: {spent:.1f} s; {megabytes(process)} MB")


if __name__ == "__main__":
    main()
