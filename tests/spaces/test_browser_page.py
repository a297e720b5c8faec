"""The static Space as built; its algorithms against Python's, number by number."""

import dataclasses
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
import soundfile
import torch
import torchaudio
from conftest import PROJECT
from support.browser_pages import TEMPLATE
from transformers import Wav2Vec2FeatureExtractor

from u2u_hf.data import audio, headers
from u2u_hf.frames import frame_end_ms, frame_start_ms
from u2u_hf.publishing.browser_page import build
from u2u_hf.recognition.decoding import Labels, confidence, greedy_words
from u2u_hf.recognition.tokenizer import build_tokenizer, labels_of
from u2u_hf.records import U2UError
from u2u_hf.transcription import voice_detection
from u2u_hf.transcription.crosstalk import levels_db, same_on_all_channels, without_crosstalk

pytest_plugins = ["support.browser_fixtures"]
pytestmark = pytest.mark.skipif(not shutil.which("npm"), reason="Node.js, with npm, is not installed")


def test_algorithms_agree_with_python():
    random = np.random.default_rng(0)

    def probabilities(frames):
        smooth = np.convolve(random.random(frames + 20), np.ones(21) / 21, "valid")
        return np.clip((smooth - 0.5) * 6 + 0.5, 0, 1).astype(np.float32)

    default = voice_detection.VadSettings()
    short = {"min_speech_ms": 64, "min_silence_ms": 100, "pad_ms": 300, "max_segment_ms": 2000}
    other = voice_detection.VadSettings(threshold=0.35, **short)
    segments = [
        (probabilities(n), settings, n * 32 - 7) for n in (0, 1, 40, 300, 2000) for settings in (default, other)
    ]
    # Two speakers that take turns, each 20 dB and 5 dB quieter on the other's channel; and one microphone.
    turns = np.repeat(random.integers(0, 2, 50), 20)
    crosstalk = []
    for leak in (20, 5, 0):
        levels = np.stack([np.where(turns == channel, -20.0, -20.0 - leak) for channel in (0, 1)])
        levels = (levels + (random.normal(0, 1, levels.shape) if leak else 0)).astype(np.float32)
        crosstalk.append((np.stack([probabilities(1000) for _ in range(2)]), levels))
    samples = (random.normal(0.1, 0.2, 20_011)).astype(np.float32)
    rates = [8000, 16_000, 22_050, 44_100, 48_000]
    frames = [0, 1, 2, 49, 1_000_003]
    labels = Labels(("", "", "|", "a", "ñ", "𐐷"))
    logits = [(random.normal(0, 2, (t, 6)).astype(np.float32), start) for t in (0, 1, 50, 700) for start in (0, 12_345)]
    tokenizer = build_tokenizer(["ab ña¹"])
    vocabulary = {token: i for token, i in tokenizer.get_vocab().items()}
    tokens = {f"{name}_token": getattr(tokenizer, f"{name}_token") for name in ("pad", "unk", "bos", "eos")}

    def plain(value):
        return value.tolist() if isinstance(value, np.ndarray) else dataclasses.asdict(value)

    given = {
        "segments": segments,
        "crosstalk": crosstalk,
        "samples": samples,
        "rates": rates,
        "frames": frames,
        "logits": [(rows, labels, start) for rows, start in logits],
        "tokenizer": [vocabulary, tokens],
    }
    script = PROJECT / "tests" / "support" / "golden.js"
    run = subprocess.run(
        ["node", script, TEMPLATE], input=json.dumps(given, default=plain), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)

    assert found["settings"] == dataclasses.asdict(default)
    expected = [voice_detection.segments(*case) for case in segments]
    assert [[tuple(span) for span in spans] for spans in found["segments"]] == expected
    assert sum(map(len, expected)) > 50
    silenced = [without_crosstalk(p, levels, default) for p, levels in crosstalk]
    for ours, theirs in zip(found["crosstalk"], silenced, strict=True):
        np.testing.assert_array_equal(np.float32(ours), np.float32(theirs))
    assert (silenced[0] == 0).any()
    same = [same_on_all_channels(levels) for _, levels in crosstalk]
    assert found["same"] == same == [False, False, True]
    np.testing.assert_allclose(found["levels"], levels_db(samples), atol=1e-4)
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True)
    np.testing.assert_allclose(found["normalized"], extractor(samples, sampling_rate=16_000).input_values[0], atol=1e-5)
    for rate, ours in zip(rates, found["resampled"], strict=True):
        # In 64 bits: in 32, torchaudio's filter itself is only right to five digits.
        theirs = torchaudio.functional.resample(torch.from_numpy(samples).double(), rate, 16_000)
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert found["frames"] == [[frame_start_ms(frame), frame_end_ms(frame)] for frame in frames]
    for (rows, start), ours, sure in zip(logits, found["words"], found["confidences"], strict=True):
        log_probs = torch.log_softmax(torch.from_numpy(rows), -1).numpy()
        theirs = greedy_words(log_probs, labels, start)
        assert [(w["text"], w["start_ms"], w["end_ms"]) for w in ours] == [
            (w.text, w.start_ms, w.end_ms) for w in theirs
        ]
        np.testing.assert_allclose([w["confidence"] for w in ours], [w.confidence for w in theirs], rtol=1e-5)
        assert sure == pytest.approx(confidence(theirs), rel=1e-5)
    assert found["labels"] == {"symbols": list(labels_of(tokenizer).symbols), "blank": 0}


READ_HEADERS = """
import { openAsBlob } from "node:fs";
const [module, ...paths] = process.argv.slice(1);
const { isChained, wavSamples } = await import(module);
const found = [];
for (const path of paths) {
  const file = await openAsBlob(path);
  found.push([(await wavSamples(file))?.frames ?? null, await isChained(file)]);
}
console.log(JSON.stringify(found));
"""


def test_true_lengths_agree_with_python(tmp_path):
    """1,000 samples, whatever a WAV header says of the 2,000 bytes; Ogg files, one of them joined."""
    samples = np.random.default_rng(0).normal(0, 0.1, 1000)
    soundfile.write(tmp_path / "right.wav", samples, 16_000)
    right = (tmp_path / "right.wav").read_bytes()

    def written(name, riff, data, rest=b""):
        head = right[:4] + struct.pack("<I", riff) + right[8:40] + struct.pack("<I", data)
        (tmp_path / name).write_bytes(head + right[44:] + rest)

    written("never.wav", 0, 0)
    written("early.wav", 1036, 1000)
    written("riff.wav", 1036, 2000)
    written("pipe.wav", 2**32 - 1, 2**32 - 1)
    written("listed.wav", 2048, 2000, b"LIST\4\0\0\0INFO")
    written("padded.wav", 2036, 2000, b"\0\0\0")
    soundfile.write(tmp_path / "adpcm.wav", samples, 16_000, subtype="IMA_ADPCM")
    soundfile.write(tmp_path / "one.ogg", np.tile(samples, 50), 16_000, format="OGG")
    (tmp_path / "two.ogg").write_bytes((tmp_path / "one.ogg").read_bytes() * 2)

    paths = sorted(tmp_path.iterdir())
    command = ["node", "--input-type=module", "--eval", READ_HEADERS, TEMPLATE / "sound-headers.js", *paths]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = {path.name: answer for path, answer in zip(paths, json.loads(run.stdout), strict=True)}
    lengths = {name: frames for name, (frames, _) in found.items() if frames is not None}
    assert lengths == dict.fromkeys({path.name for path in tmp_path.glob("*.wav")} - {"adpcm.wav"}, 1000)
    assert lengths == {name: audio.audio_info(tmp_path / name).frames for name in lengths}
    assert {name: chained for name, (_, chained) in found.items()} == {p.name: headers.is_chained(p) for p in paths}
    assert found["two.ogg"][1]


def test_lint_and_unit_tests_of_the_pages(npm_packages, tmp_path):
    folder = tmp_path / "browser"
    shutil.copytree(TEMPLATE, folder, ignore=shutil.ignore_patterns("node_modules"))
    shutil.copytree(TEMPLATE.parent / "editor", folder / "editor")  # as `build` does
    (folder / "node_modules").symlink_to(npm_packages / "node_modules")
    for command in ("npm run lint", "npm test"):
        run = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr


def test_the_built_page_lists_licences_and_stays_small(site):
    licences = (site / "vendor" / "LICENCES.txt").read_text(encoding="utf-8")
    for name in (
        "@huggingface/hub",
        "client-zip",
        "hyparquet-writer",
        "mediabunny",
        "onnxruntime-web",
        "pyodide",
        "pympi-ling",
        "tqdm",
        "silero-vad",
        "wavesurfer.js",
    ):
        assert f"{name} " in licences
    loaded = [path for path in site.rglob("*.*") if path.suffix not in (".md", ".txt") and "model" not in path.parts]
    weight = sum(path.stat().st_size for path in loaded if path.is_file())
    assert weight < 30e6


def test_a_model_that_was_not_exported_is_named(exported, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(exported, folder)
    shutil.rmtree(folder / "onnx")
    with pytest.raises(U2UError, match=r"onnx.model_quantized.onnx: is needed by the page: run recipes/export.py"):
        build(TEMPLATE, tmp_path / "site", str(folder))


def test_the_local_server_sends_the_headers_for_threads(exported, path_with_npm):
    command = [sys.executable, TEMPLATE / "serve.py", "--model", exported, "--port", "0"]
    environment = os.environ | {"PATH": path_with_npm}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            address = process.stdout.readline().split()[0]
            with urllib.request.urlopen(address) as answer:
                assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
                assert b"Speech to ELAN" in answer.read()
        finally:
            process.terminate()


@pytest.mark.parametrize("port", ["taken", "70000"])
def test_a_port_that_cannot_be_used_is_named_before_the_build(port, tmp_path):
    """There is no such model: the build would name that."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = str(other.getsockname()[1]) if port == "taken" else port
        command = [sys.executable, TEMPLATE / "serve.py", "--model", tmp_path / "none", "--port", number]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"--port {number}: cannot be used (")
    assert line.endswith("): give another one, or 0 for any free port")
