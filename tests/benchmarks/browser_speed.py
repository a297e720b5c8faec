"""Transcription in Chromium beside onnxruntime on the same computer, the same int8 model of mHuBERT-147's size.

    python tests/benchmarks/browser_speed.py --folder /somewhere/with/2/GB --minutes 10

The weights are random, so only the time means something. The times are from the file to its last segment, one after
the other: decoding, resampling, detection of speech and the recogniser. That of the first segment is told apart.
"""

import argparse
import json
import os
import shutil
import sys
import threading
import time
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import numpy as np
import soundfile
import torch
from playwright.sync_api import sync_playwright
from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

PROJECT = Path(__file__).parents[2]
TEMPLATE = PROJECT / "spaces" / "browser"
sys.path.insert(0, str(TEMPLATE))

from serve import Handler  # noqa: E402

from u2u_hf.data.audio import audio_info  # noqa: E402
from u2u_hf.demo.corpus import make_demo_corpus  # noqa: E402
from u2u_hf.publishing.browser_page import build  # noqa: E402
from u2u_hf.publishing.export import export  # noqa: E402
from u2u_hf.recognition.model import start_from  # noqa: E402
from u2u_hf.recognition.recognizer import Recognizer  # noqa: E402
from u2u_hf.transcription.segmentation import find_speech  # noqa: E402
from u2u_hf.transcription.transcribe import recognise_words, transcribe  # noqa: E402
from u2u_hf.transcription.voice_detection import VadSettings  # noqa: E402


def make_model(folder: Path) -> None:
    torch.manual_seed(0)
    base = folder / "base"
    HubertModel(HubertConfig()).save_pretrained(base)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(base)
    model, processor = start_from(str(base), ["abcdefghijklmnopqrstuvwxyz'áéíóú"])
    model.save_pretrained(folder / "model")
    processor.save_pretrained(folder / "model")
    export(str(folder / "model"), folder / "model")


def make_recording(folder: Path, minutes: float) -> Path:
    make_demo_corpus(folder / "demo", recordings=1, new_recordings=1, turns=6)
    (source,) = (folder / "demo" / "new_recordings").glob("*.wav")
    samples, rate = soundfile.read(source, dtype="int16")
    length = int(minutes * 60 * rate)
    path = folder / "recording.wav"
    soundfile.write(path, np.resize(samples, (length, samples.shape[1])), rate)
    return path


def in_browser(folder: Path, recording: Path) -> dict:
    build(TEMPLATE, folder / "site", str(folder / "model"))
    handler = partial(Handler, directory=str(folder / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as p:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(3_600_000)
        page.goto(f"http://127.0.0.1:{server.server_port}")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
        started = time.perf_counter()
        page.wait_for_function("/ready|listo/.test(document.getElementById('model-state').textContent)")
        ready = time.perf_counter() - started
        started = time.perf_counter()
        page.set_input_files("#files", recording)
        page.wait_for_function(
            "document.querySelector('u2u-editor')?.shadowRoot.querySelector('textarea')?.readOnly === false"
        )
        first = time.perf_counter() - started
        page.wait_for_function("document.querySelector('.downloads')?.hidden === false")
        whole = time.perf_counter() - started
        browser.close()
        server.shutdown()
    return {"first_paint_ms": paint, "model_ready_s": ready, "first_result_s": first, "whole_s": whole}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if not (args.folder / "model" / "onnx").is_dir():
        make_model(args.folder)
    recording = make_recording(args.folder, args.minutes)
    recognizer = Recognizer(args.folder / "model")
    started = time.perf_counter()
    stretches = find_speech(audio_info(recording), VadSettings())
    transcribe(recording, stretches, recognizer, recognise_words(recognizer.labels))
    native = time.perf_counter() - started
    speech = sum(s.end_ms - s.start_ms for s in stretches.segments) / 1000
    found = in_browser(args.folder, recording)
    found |= {"speech_s": speech, "recording_s": args.minutes * 60, "native_s": native, "cores": os.cpu_count()}
    found |= {"engine": recognizer.engine, "real_time_factor": found["whole_s"] / speech}
    found["times_native"] = found["whole_s"] / native
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
