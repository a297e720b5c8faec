"""The static Space, built and driven in Chromium; its algorithms against Python's, number by number."""

import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.request
import zipfile
from contextlib import contextmanager
from functools import partial
from http.server import ThreadingHTTPServer

import numpy as np
import onnx
import pytest
import soundfile
import torch
import torchaudio
from conftest import PROJECT
from datasets import load_from_disk
from hub.server import running_hub
from onnx import TensorProto, helper, numpy_helper
from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

sys.path.insert(0, str(PROJECT / "spaces" / "browser"))

from serve import Handler

from u2u_hf import vad
from u2u_hf.audio import audio_info, read_audio
from u2u_hf.browser_space import build
from u2u_hf.dataset import load_splits
from u2u_hf.decode import Labels, confidence, greedy_words
from u2u_hf.eaf import read_eaf
from u2u_hf.export import export
from u2u_hf.frames import frame_end_ms, frame_start_ms
from u2u_hf.model import build_tokenizer, labels_of, load_trained, start_from
from u2u_hf.recognizer import Recognizer
from u2u_hf.records import U2UError
from u2u_hf.transcribe import find_speech, transcribe, write_down

TEMPLATE = PROJECT / "spaces" / "browser"
pytestmark = pytest.mark.skipif(not shutil.which("npm"), reason="Node.js, with npm, is not installed")


def test_the_algorithms_that_exist_twice_agree():
    random = np.random.default_rng(0)

    def probabilities(frames):
        smooth = np.convolve(random.random(frames + 20), np.ones(21) / 21, "valid")
        return np.clip((smooth - 0.5) * 6 + 0.5, 0, 1).astype(np.float32)

    default = vad.VadSettings()
    other = vad.VadSettings(threshold=0.35, min_speech_ms=64, min_silence_ms=100, pad_ms=300, max_segment_ms=2000)
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
    script = PROJECT / "tests" / "browser_space" / "golden.js"
    run = subprocess.run(
        ["node", script, TEMPLATE], input=json.dumps(given, default=plain), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)

    assert found["settings"] == dataclasses.asdict(default)
    expected = [vad.segments(*case) for case in segments]
    assert [[tuple(span) for span in spans] for spans in found["segments"]] == expected
    assert sum(map(len, expected)) > 50
    silenced = [vad.without_crosstalk(p, levels, default) for p, levels in crosstalk]
    for ours, theirs in zip(found["crosstalk"], silenced, strict=True):
        np.testing.assert_array_equal(np.float32(ours), np.float32(theirs))
    assert (silenced[0] == 0).any()
    assert found["same"] == [vad.same_on_all_channels(levels) for _, levels in crosstalk] == [False, False, True]
    np.testing.assert_allclose(found["levels"], vad.levels_db(samples), atol=1e-4)
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


def test_lint_and_unit_tests_of_the_pages(tmp_path):
    folder = tmp_path / "browser"
    shutil.copytree(TEMPLATE, folder, ignore=shutil.ignore_patterns("node_modules"))
    for command in ("npm ci --ignore-scripts --prefer-offline", "npm run lint", "npm test"):
        run = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr


@pytest.fixture(scope="module")
def new_recording(demo_folder):
    (path,) = (demo_folder / "new_recordings").glob("*.wav")
    return path


def exported_when_sure(source, recording, folder):
    """Export a model whose head has become sure of the label that it gives to each frame of `recording`.

    With 8 bits the last digit of a sample decides between two letters that are as likely as each other; a model that
    has learnt little has many of those, and then no two computers write the same.
    """
    model, processor = load_trained(str(source))
    info, heard = audio_info(recording), []
    with torch.inference_mode():
        for segment in find_speech(info, vad.VadSettings()).segments:
            (samples,) = read_audio(info, segment.start_ms, segment.end_ms, [segment.channel])
            inputs = processor.feature_extractor(samples, sampling_rate=16_000, return_tensors="pt").input_values
            heard.append(model.hubert(inputs).last_hidden_state[0])
    frames = torch.cat(heard).clone()
    labels = model.lm_head(frames).argmax(1)
    optimizer = torch.optim.Adam(model.lm_head.parameters(), lr=0.01)
    for _ in range(500):
        loss = torch.nn.functional.cross_entropy(model.lm_head(frames), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    export(str(folder), folder)
    return folder


@pytest.fixture(scope="module")
def exported(trained_model, new_recording, tmp_path_factory):
    return exported_when_sure(trained_model, new_recording, tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="module")
def site(exported, tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "site"
    build(TEMPLATE, folder, str(exported))
    return folder


@contextmanager
def served(folder, isolated=True):
    """As serve.py does it, with the headers that isolate the page or without."""
    handler = type("Local", (Handler,), {} if isolated else {"extra": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def url(site):
    with served(site) as address:
        yield address


@pytest.fixture(scope="module")
def chromium(new_recording):
    """A browser with these arguments; its microphone hears the new recording, again and again."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if not path:
        pytest.skip("chromium is not installed")
    microphone = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    microphone.append(f"--use-file-for-fake-audio-capture={new_recording}")
    browsers = {}
    with sync_playwright() as p:

        def launched(*arguments):
            if arguments not in browsers:
                settings = {"executable_path": path, "args": ["--no-sandbox", *microphone, *arguments]}
                browsers[arguments] = p.chromium.launch(**settings)
            return browsers[arguments]

        yield launched
        for browser in browsers.values():
            browser.close()


@pytest.fixture
def open_page(chromium):
    """Opens a page in a fresh profile; in the end nothing was asked of any other place, and nothing failed in it."""
    contexts, asked, errors = [], [], []

    def opened(address, *arguments, **settings):
        context = chromium(*arguments).new_context(**{"locale": "en-US", **settings})
        contexts.append(context)
        context.on("request", lambda request: asked.append(request.url))
        context.on("weberror", lambda error: errors.append(str(error.error)))
        page = context.new_page()
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors
    assert {address.split("/")[2].split(":")[0] for address in asked if not address.startswith("data:")} == {
        "127.0.0.1"
    }


@contextmanager
def hub_and_page(site, folder, **settings):
    """A Hub, and the address of a copy of the page that fetches models from there."""
    shutil.copytree(site, folder / "site")
    about = folder / "site" / "space.json"
    with running_hub(folder / "blobs") as hub, served(folder / "site") as address:
        settings = json.loads(about.read_text(encoding="utf-8")) | {"own": False, "hub": hub.url} | settings
        about.write_text(json.dumps(settings), encoding="utf-8")
        yield hub, address


def add_model(hub, folder):
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    hub.add("model", "ana/ears", True, files)


def load_from_hub(page, token):
    page.get_by_label("On the Hugging Face Hub").fill("ana/ears")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Load").click()


def wait_for(page, selector, text):
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector)?.textContent.includes(text)", arg=[selector, text]
    )


def saved(page, button, folder):
    with page.expect_download() as download:
        button.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def in_python(model, recording):
    recognizer = Recognizer(model)
    stretches = find_speech(audio_info(recording), vad.VadSettings())
    return transcribe(recording, stretches, recognizer, write_down(recognizer.labels))


def assert_same(path, transcript):
    """What the page wrote is what Python hears, to the ms in its segments, to the frame in its words."""
    tiers = {tier.name: tier.annotations for tier in read_eaf(path).tiers}
    assert len(transcript.segments) > 3
    for channel in {segment.channel for segment in transcript.segments}:
        own = [segment for segment in transcript.segments if segment.channel == channel]
        found = [(a.start_ms, a.end_ms, a.value) for a in tiers[f"channel {channel + 1}"]]
        assert found == [(s.start_ms, s.end_ms, s.text) for s in own]
        words, expected = tiers[f"channel {channel + 1} words"], [word for s in own for word in s.words]
        assert [a.value for a in words] == [word.text for word in expected]
        for a, word in zip(words, expected, strict=True):
            assert abs(a.start_ms - word.start_ms) <= 20
            assert abs(a.end_ms - word.end_ms) <= 20


def test_a_recording_is_transcribed_as_in_python(site, url, open_page, exported, new_recording, elan_schema, tmp_path):
    asked = []
    page = open_page("about:blank")
    page.on("response", lambda response: asked.append(response.url))
    page.goto(url)
    wait_for(page, "#model-state", f"ready, on {min(os.cpu_count(), 8)} processor cores")
    page.set_input_files("#files", new_recording)
    transcript = in_python(exported, new_recording)
    wait_for(page, "article", f"Done: {len(transcript.segments)} segments.")
    files = {site / address.removeprefix(f"{url}/") for address in asked if "/model/" not in address}
    weight = sum(path.stat().st_size for path in files if path.is_file())
    assert 5e6 < weight < 7e6  # neither Python nor the graphics processor's part is among them
    paths = {
        name: saved(page, page.get_by_role("button", name=f".{name}"), tmp_path)
        for name in ("eaf", "TextGrid", "srt", "tsv")
    }
    assert [path.name for path in paths.values()] == [f"{new_recording.stem}.{name}" for name in paths]
    elan_schema(paths["eaf"])
    assert read_eaf(paths["eaf"]).media[0].urls[1] == f"./{new_recording.name}"
    assert_same(paths["eaf"], transcript)


def test_a_model_of_base_size_hears_as_in_python_on_all_cores_and_on_one(site, open_page, new_recording, tmp_path):
    """mHuBERT-147's configuration, random weights, 8 bits; 12 seconds of two speakers."""
    samples, rate = soundfile.read(new_recording, stop=12 * 48_000, dtype="int16")
    recording = tmp_path / "twelve.flac"
    soundfile.write(recording, samples, rate)
    torch.manual_seed(0)
    HubertModel(HubertConfig()).save_pretrained(tmp_path / "base")
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(tmp_path / "base")
    model, processor = start_from(str(tmp_path / "base"), ["tlazohcamati nocniuh"])
    model.save_pretrained(tmp_path / "model")
    processor.save_pretrained(tmp_path / "model")
    shutil.copytree(site, tmp_path / "site", ignore=shutil.ignore_patterns("model"))
    exported_when_sure(tmp_path / "model", recording, tmp_path / "site" / "model")
    transcript = in_python(tmp_path / "site" / "model", recording)
    for isolated, ready in ((True, "processor cores"), (False, "one processor core")):
        with served(tmp_path / "site", isolated) as address:
            page = open_page(address)
            wait_for(page, "#model-state", ready)
            page.set_input_files("#files", recording)
            wait_for(page, "article", "Done")
            assert_same(saved(page, page.get_by_role("button", name=".eaf"), tmp_path), transcript)


def test_what_a_person_corrects_is_what_is_saved(url, open_page, new_recording, tmp_path):
    page = open_page(url, viewport={"width": 360, "height": 740}, locale="es-MX")
    wait_for(page, "#model-state", "listo")
    page.set_input_files("#files", new_recording)
    wait_for(page, "article", "Terminado")
    box = page.get_by_role("textbox", name="Texto 0:").first
    box.press("ControlOrMeta+a")
    page.keyboard.type("tlazohcamati, nocniuh")
    text = saved(page, page.get_by_role("button", name=".srt"), tmp_path).read_text(encoding="utf-8")
    assert text.splitlines()[2] == "tlazohcamati, nocniuh"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.documentElement.lang") == "es"
    page.select_option("#language", "en")
    wait_for(page, "article", "Done")


def test_without_isolation_it_works_on_one_core(site, open_page, exported, new_recording, tmp_path):
    flac = tmp_path / "a.flac"
    soundfile.write(flac, *soundfile.read(new_recording, dtype="int16"))
    with served(site, isolated=False) as address:
        page = open_page(address)
        wait_for(page, "#model-state", "ready, on one processor core")
        page.set_input_files("#files", flac)
        wait_for(page, "article", "Done")
        assert_same(saved(page, page.get_by_role("button", name=".eaf"), tmp_path), in_python(exported, flac))


def test_one_channel_is_heard_while_the_rest_is_looked_at(url, open_page, exported, new_recording, tmp_path):
    samples, rate = soundfile.read(new_recording, dtype="int16")
    mono = tmp_path / "mono.flac"
    soundfile.write(mono, np.tile(samples[:, 0], 6), rate)
    page = open_page(url)
    wait_for(page, "#model-state", "ready")
    page.set_input_files("#files", mono)
    page.wait_for_function("document.querySelector('td textarea')?.disabled === false")
    some = page.locator("td textarea").count()
    wait_for(page, "article", "Done")
    transcript = in_python(exported, mono)
    assert some < len(transcript.segments)
    tiers = {tier.name: tier for tier in read_eaf(saved(page, page.get_by_role("button", name=".eaf"), tmp_path)).tiers}
    spans = [(a.start_ms, a.end_ms) for a in tiers["transcript"].annotations]
    assert spans == [(s.start_ms, s.end_ms) for s in transcript.segments]


GRAPHICS = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-unsafe-swiftshader")


def test_the_graphics_processor_hears_the_same_also_without_a_network(
    site, open_page, exported, new_recording, tmp_path
):
    """Here it is imitated by software: slow, but with all that WebGPU asks for."""
    recording = tmp_path / "short.wav"
    samples, rate = soundfile.read(new_recording, stop=4 * 48_000, dtype="int16")
    soundfile.write(recording, samples, rate)
    with hub_and_page(site, tmp_path) as (hub, address):
        add_model(hub, exported)
        page = open_page(address, *GRAPHICS)
        page.set_default_timeout(120_000)
        load_from_hub(page, "hf_ana_read")
        wait_for(page, "#model-state", "ready, on the graphics processor")
        page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    page.reload()
    load_from_hub(page, "")
    wait_for(page, "#model-state", "ready, on the graphics processor")
    page.set_input_files("#files", recording)
    wait_for(page, "article", "Done")
    texts = page.locator("article textarea").evaluate_all("boxes => boxes.map((box) => box.value)")
    segments = in_python(exported, recording).segments
    assert texts == [s.text for s in sorted(segments, key=lambda s: (s.start_ms, s.channel))]
    assert any(texts)


def test_a_phone_is_spared_the_weights_for_the_graphics_processor(url, open_page):
    phone = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"
    wait_for(open_page(url, *GRAPHICS, user_agent=phone), "#model-state", "processor cores")


def test_a_model_that_the_graphics_processor_cannot_run_is_run_on_processors(site, open_page, tmp_path):
    shutil.copytree(site, tmp_path / "site")
    (tmp_path / "site" / "model" / "onnx" / "model.onnx").write_bytes(b"broken")
    with served(tmp_path / "site") as address:
        wait_for(open_page(address, *GRAPHICS), "#model-state", "processor cores")


def test_what_the_microphone_hears_is_kept_as_it_is(url, open_page, new_recording, tmp_path):
    page = open_page(url)
    wait_for(page, "#model-state", "ready")
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("button", name="Stop recording").wait_for()
    page.wait_for_timeout(3000)
    page.get_by_role("button", name="Stop recording").click()
    recording = saved(page, page.get_by_role("button", name="Save the recording"), tmp_path)
    wait_for(page, "article", "Done")
    recorded, rate = soundfile.read(recording, always_2d=True)
    assert 2 < len(recorded) / rate < 8
    source, source_rate = soundfile.read(new_recording)
    source = torchaudio.functional.resample(torch.from_numpy(source[:, 0]), source_rate, rate).numpy()
    # Where it fits best, it is the same wave: cosine of the angle between them.
    part = recorded[rate : 2 * rate, 0]
    products = np.fft.irfft(np.fft.rfft(source) * np.conj(np.fft.rfft(part, len(source))), len(source))
    at = int(products[: len(source) - len(part)].argmax())
    assert products[at] / np.linalg.norm(part) / np.linalg.norm(source[at : at + len(part)]) > 0.99


def test_no_room_and_no_memory_are_said(site, open_page, exported, new_recording, tmp_path):
    with hub_and_page(site, tmp_path, model="ana/ears") as (hub, address):
        add_model(hub, exported)
        page = open_page("about:blank")
        room = (exported / "onnx" / "model_quantized.onnx").stat().st_size // 2
        quota = {"origin": address, "quotaSize": room}
        page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)
        page.goto(address)
        wait_for(page, "#problem", "ana/ears: there is no such model, or it is private (401)")
        load_from_hub(page, "hf_ana_read")
        wait_for(page, "#model-state", "ana/ears is ready, on")
        wait_for(page, "#model-state", "Your browser has no room to keep it")
        write_greedy_model(tmp_path / "model_quantized.onnx")
        page.set_input_files("#model-files", [*exported.glob("*.json"), tmp_path / "model_quantized.onnx"])
        wait_for(page, "#model-state", "The model from your computer is ready")
        page.set_input_files("#files", new_recording)
        wait_for(page, "article .problem", "Your browser is out of memory")


def write_greedy_model(path):
    """A model that asks for all the memory that WebAssembly has, 4 GB, for whatever it hears."""
    sizes = {"none": [0, 0], "many": [1, 2**30 - 40_000]}
    nodes = [
        helper.make_node("Shape", ["input_values"], ["shape"]),
        helper.make_node("Mul", ["shape", "none"], ["zero"]),
        helper.make_node("Add", ["zero", "many"], ["huge"]),
        helper.make_node("ConstantOfShape", ["huge"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["input_values", "sum"], ["logits"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "n"]) for name in ("input_values", "logits")]
    constants = [numpy_helper.from_array(np.array(value), name) for name, value in sizes.items()]
    graph = helper.make_graph(nodes, "greedy", ends[:1], ends[1:], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def test_what_is_wrong_is_said(url, open_page, tmp_path):
    page = open_page(url)
    wait_for(page, "#model-state", "ready")
    (tmp_path / "notes.wav").write_text("not a recording")
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000), 16_000)
    page.set_input_files("#files", [tmp_path / "notes.wav", tmp_path / "silence.wav"])
    wait_for(page, "article:nth-child(1) .problem", "notes.wav: cannot be read")
    wait_for(page, "article:nth-child(2)", "No speech was found.")
    page.locator("#model-choice summary").click()
    config = tmp_path / "config.json"
    config.write_text('{"architectures": ["WhisperModel"]}')
    page.set_input_files("#model-files", config)
    wait_for(page, "#problem", "is no model of this kind (WhisperModel)")
    config.write_text('{"architectures": ["HubertForCTC"]}')
    page.set_input_files("#model-files", config)
    wait_for(page, "#problem", "vocab.json is missing: export the model")


def test_a_private_model_needs_its_token_and_then_no_network(site, open_page, exported, new_recording, tmp_path):
    with hub_and_page(site, tmp_path) as (hub, address):
        add_model(hub, exported)
        page = open_page(address)
        page.set_input_files("#files", new_recording)
        wait_for(page, "article", "choose a model first")
        load_from_hub(page, "")
        wait_for(page, "#problem", "ana/ears: there is no such model, or it is private (401)")
        load_from_hub(page, "hf_nobodys")
        wait_for(page, "#problem", "ana/ears: the token does not open it (401)")
        load_from_hub(page, "hf_ben_read")
        wait_for(page, "#problem", "ana/ears: the token does not open it (404)")
        load_from_hub(page, "hf_ana_read")
        wait_for(page, "#model-state", "ana/ears is ready")
        assert "hf_ana" not in page.evaluate(
            "caches.open('u2u-hf-models').then((c) => c.keys()).then((keys) => keys.map((k) => k.url).join())"
            ".then((urls) => urls + JSON.stringify(localStorage))"
        )
        page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    # Neither the page's server nor the Hub is there any more.
    page.reload()
    wait_for(page, "#model-state", "No model yet")
    load_from_hub(page, "")
    wait_for(page, "#model-state", "ana/ears is ready")
    page.set_input_files("#files", new_recording)
    wait_for(page, "article", "Done")
    assert "-->" in saved(page, page.get_by_role("button", name=".srt"), tmp_path).read_text(encoding="utf-8")


def assert_same_dataset(ours, theirs):
    assert set(ours) == set(theirs)
    for name, split in theirs.items():
        columns = [column for column in split.column_names if column != "audio"]
        assert ours[name].select_columns(columns).to_list() == split.select_columns(columns).to_list()
        for one, other in zip(ours[name], split, strict=True):
            one, other = (soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16")[0] for row in (one, other))
            assert np.abs(one.astype(int) - other).max() <= 1  # of 65,536 steps: rounding


def test_a_prepared_dataset_is_what_the_recipe_makes_and_trains(
    url, open_page, demo_folder, demo_dataset, recipe, random_base, tmp_path
):
    page = open_page(f"{url}/prepare.html")
    page.set_input_files("#folder", demo_folder / "corpus")
    look = page.get_by_role("button", name="Look at it")
    page.wait_for_function("document.querySelector('[name=rules]').value")
    look.click()
    wait_for(page, "#words", "WHAT WOULD BE PREPARED")
    make = page.get_by_role("button", name="Make the dataset")
    with zipfile.ZipFile(saved(page, make, tmp_path)) as archive:
        archive.extractall(tmp_path / "dataset")
    ours, theirs = load_splits(tmp_path / "dataset"), load_splits(demo_dataset)
    assert_same_dataset(ours, theirs)
    report = json.loads((tmp_path / "dataset" / "report.json").read_text(encoding="utf-8"))
    assert report["splits"] == json.loads((demo_dataset / "report.json").read_text(encoding="utf-8"))["splits"]
    arguments = ["--dataset", tmp_path / "dataset", "--model", random_base, "--output_dir", tmp_path / "model"]
    done = recipe("train.py", *arguments, "--use_cpu", "--max_steps", 2, "--eval_steps", 2, "--save_steps", 2)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "model" / "model.safetensors").is_file()


def test_a_dataset_goes_to_the_hub_private_and_is_what_the_recipe_makes(
    site, open_page, demo_folder, demo_dataset, tmp_path
):
    with hub_and_page(site, tmp_path) as (hub, address):
        hub.add("dataset", "ana/open", private=False)
        hub.add("dataset", "ana/words", True, {"data/train-00000-of-00002.parquet": b"old", "README.md": b"mine"})
        page = open_page(f"{address}/prepare.html")
        page.set_input_files("#folder", demo_folder / "corpus")
        page.wait_for_function("document.querySelector('[name=rules]').value")
        page.get_by_role("button", name="Look at it").click()
        wait_for(page, "#words", "WHAT WOULD BE PREPARED")
        page.get_by_text("Or send it to the Hugging Face Hub").click()

        def send(name, token):
            page.get_by_label("Its name there").fill(name)
            page.get_by_label("A token that may write").fill(token)
            page.get_by_role("button", name="Send").click()

        send("ana/open", "hf_ana_write")
        wait_for(page, "#problem", "ana/open is public, everybody could read what is sent")
        send("ana/new", "hf_nobodys")
        wait_for(page, "#problem", "ana/new: the Hub does not accept the token (401)")
        send("ana/new", "hf_ana_read")
        wait_for(page, "#problem", "ana/new: the token may not write there (403)")
        assert not hub.uploads()
        for name in ("ana/new", "ana/words"):
            send(name, "hf_ana_write")
            wait_for(page, "#state", f"It is on the Hub, private: give {name} to")
        assert "hf_ana" not in page.evaluate("JSON.stringify([localStorage, sessionStorage, location.href])")
        beside = {"prepare.yaml", "report.json", "report.html"}
        data = {f"data/{split}-00000-of-00001.parquet" for split in ("train", "validation", "test")}
        for name, kept in (("ana/new", set()), ("ana/words", {"README.md"})):
            assert hub.repos["dataset", name].private
            assert set(hub.repos["dataset", name].at("main").files) == data | beside | kept
        code = "import sys; from u2u_hf.dataset import load_splits; load_splits('ana/new').save_to_disk(sys.argv[1])"
        environment = hub.environment(tmp_path / "home", "hf_ana_read")
        command = [sys.executable, "-c", code, tmp_path / "loaded"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    ours, theirs = load_from_disk(tmp_path / "loaded"), load_splits(demo_dataset)
    assert {name: split.features for name, split in ours.items()} == {n: s.features for n, s in theirs.items()}
    assert_same_dataset(ours, theirs)


def test_tiers_that_are_not_there_are_named(url, open_page, demo_folder):
    page = open_page(f"{url}/prepare.html")
    page.set_input_files("#folder", demo_folder / "corpus")
    page.wait_for_function("document.querySelector('[name=rules]').value")
    page.get_by_label("Tiers with transcriptions").fill("*SURFACE*")
    page.get_by_role("button", name="Look at it").click()
    wait_for(page, "#problem", "*SURFACE*: no tier of any file matches; there are: ")


def test_the_built_page_lists_licences_and_needs_no_more(site):
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


def test_the_local_server_gives_the_page_its_headers(exported):
    command = [sys.executable, TEMPLATE / "serve.py", "--model", exported, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().split()[0]
            with urllib.request.urlopen(address) as answer:
                assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
                assert b"Speech to ELAN" in answer.read()
        finally:
            process.terminate()
