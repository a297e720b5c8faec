"""The page that transcribes, in Chromium; its transcripts against Python's."""

import base64
import dataclasses
import json
import os
import shutil
import struct

import av
import numpy as np
import onnx
import pytest
import soundfile
import torch
import torchaudio
from conftest import write_with_ffmpeg
from onnx import TensorProto, helper, numpy_helper
from playwright.sync_api import expect
from support import axe
from support.browser_pages import exported_when_sure, hub_and_page, saved, served, wait_for
from support.families import CONFIGS, save_base
from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

from u2u_hf.data.audio import audio_info
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.recognition import language_model
from u2u_hf.recognition.decoding import log_softmax
from u2u_hf.recognition.model import start_from
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import Transcript
from u2u_hf.transcription import voice_detection
from u2u_hf.transcription.segmentation import find_speech
from u2u_hf.transcription.transcribe import recognise_words, transcribe

pytest_plugins = ["support.browser_fixtures"]


def add_model(hub, folder):
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    hub.add("model", "ana/ears", True, files)


def load_from_hub(page, token):
    page.get_by_label("Model on the Hugging Face Hub").fill("ana/ears")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Load").click()


def in_python(model, recording):
    recognizer = Recognizer(model)
    stretches = find_speech(audio_info(recording), voice_detection.VadSettings())
    return transcribe(recording, stretches, recognizer, recognise_words(recognizer.labels))


def assert_same(path, transcript):
    """Check the page's transcript against Python's: segments to the ms, words to the frame."""
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
    wait_for(page, "#model-state", f"ready, on {min(os.cpu_count(), 8)} processor cores. Licence: cc-by-nc-4.0.")
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


def with_language_model(model, folder):
    """Copy a model, with a language model that changes what is heard: it has little text, and much weight."""
    shutil.copytree(model, folder)
    learned = language_model.learn(["in cihuatl quichihua tlaxcalli", "axcan quitta in cihuatl cintli"] * 3)
    language_model.save(dataclasses.replace(learned, share=0.5, weight=2.5, bonus=1.0), folder)
    return folder


# The page's recogniser also tells the test what it gives for each segment.
TELLING_LOGITS = """
const own = Recognizer.prototype.logits;
Recognizer.prototype.logits = async function (samples) {
  const found = await own.call(this, samples);
  (this.told ??= new BroadcastChannel("logits")).postMessage(found);
  return found;
};
"""
HEARING_LOGITS = """
window.heard = [];
window.told = new BroadcastChannel("logits");
window.told.onmessage = ({ data }) => window.heard.push([...data]);
"""


def assert_language_model_used(open_page, site, address, model, recording, folder, ready):
    """Transcribe on a page; from the logits that it had, Python must write the same, and not without a language model.

    Not from Python's own logits: with 8 bits they differ from the browser's by up to 0.5, and where the sound is sure
    of one text and so heavy a language model of another, this decides between the two.
    """
    with (site / "recognizer.js").open("a") as script:
        script.write(TELLING_LOGITS)
    page = open_page("about:blank")
    page.add_init_script(HEARING_LOGITS)
    page.goto(address)
    ready(page)
    page.set_input_files("#files", recording)
    wait_for(page, "article", "Done:")
    found = saved(page, page.get_by_role("button", name=".eaf"), folder)
    labels = Recognizer(model).labels
    stretches = find_speech(audio_info(recording), voice_detection.VadSettings())
    in_order = sorted(stretches.segments, key=lambda s: (s.start_ms, s.channel))
    page.wait_for_function("count => heard.length === count", arg=len(in_order))
    told = [np.array(logits, np.float32).reshape(-1, len(labels.symbols)) for logits in page.evaluate("heard")]
    heard = {segment: log_softmax(logits) for segment, logits in zip(in_order, told, strict=True)}
    own, others = (
        [recognise_words(labels, m)(s, heard[s], s.start_ms) for s in stretches.segments]
        for m in (language_model.load(str(model)), None)
    )
    assert [s.text for s in own] != [s.text for s in others]
    assert_same(found, Transcript(str(recording), 0, 2, tuple(own)))


def test_the_language_model_is_used_as_in_python(site, open_page, exported, new_recording, tmp_path):
    model = with_language_model(exported, tmp_path / "model")
    own = tmp_path / "site"
    shutil.copytree(site, own, ignore=shutil.ignore_patterns("model"))
    shutil.copytree(model, own / "model")
    about = own / "space.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"language_model": True}))

    def ready(page):
        wait_for(page, "#model-state", "processor cores. It has a language model. Licence: cc-by-nc-4.0.")

    with served(own) as address:
        assert_language_model_used(open_page, own, address, model, new_recording, tmp_path, ready)
    # The same files, chosen from the visitor's disk: their folders do not count.
    files = [path for path in model.rglob("*") if path.is_file()]
    with served(site) as address:
        page = open_page(address)
        wait_for(page, "#model-state", "processor cores. Licence")
        page.locator("summary").click()
        page.set_input_files("#model-files", files)
        wait_for(page, "#model-state", "It has a language model.")


def test_a_language_model_on_the_hub_is_used(site, open_page, exported, new_recording, tmp_path):
    model = with_language_model(exported, tmp_path / "model")
    (tmp_path / "hub").mkdir()

    def ready(page):
        load_from_hub(page, "hf_ana_read")
        wait_for(page, "#model-state", "It has a language model.")

    with hub_and_page(site, tmp_path / "hub") as (hub, address):
        add_model(hub, model)
        own = tmp_path / "hub" / "site"
        assert_language_model_used(open_page, own, address, model, new_recording, tmp_path, ready)


def beginning(recording, seconds, path):
    samples, rate = soundfile.read(recording, stop=seconds * 48_000, dtype="int16")
    soundfile.write(path, samples, rate)
    return path


def test_a_model_of_base_size_agrees_with_python_on_all_cores_and_on_one(site, open_page, new_recording, tmp_path):
    """mHuBERT-147's configuration with 2 of its 12 layers, random weights, 8 bits; 12 seconds of two speakers."""
    recording = beginning(new_recording, 12, tmp_path / "twelve.flac")
    torch.manual_seed(0)
    HubertModel(HubertConfig(num_hidden_layers=2)).save_pretrained(tmp_path / "base")
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
            wait_for(page, "article", "Done:")
            assert_same(saved(page, page.get_by_role("button", name=".eaf"), tmp_path), transcript)


@pytest.mark.parametrize("name", ["xls-r", "wavlm", "wav2vec2-bert", "omniasr"])
def test_every_family_agrees_with_python(site, open_page, new_recording, tmp_path, name):
    """Random weights, 8 bits; of Omnilingual ASR, of whose frames such a small model is never sure, float32."""
    save_base(CONFIGS[name](), tmp_path / "base")
    model, processor = start_from(str(tmp_path / "base"), ["tlazohcamati nocniuh"], fresh_head=True)
    model.save_pretrained(tmp_path / "model")
    processor.save_pretrained(tmp_path / "model")
    shutil.copytree(site, tmp_path / "site", ignore=shutil.ignore_patterns("model"))
    recording = beginning(new_recording, 12, tmp_path / "twelve.flac")
    exported_when_sure(tmp_path / "model", recording, tmp_path / "site" / "model")
    if name == "omniasr":
        (tmp_path / "site" / "model" / "onnx" / "model_quantized.onnx").unlink()
    with served(tmp_path / "site") as address:
        page = open_page(address)
        wait_for(page, "#model-state", "ready")
        page.set_input_files("#files", recording)
        wait_for(page, "article", "Done:")
        found = saved(page, page.get_by_role("button", name=".eaf"), tmp_path)
    assert_same(found, in_python(tmp_path / "site" / "model", recording))


@pytest.fixture
def short_recording(new_recording, tmp_path):
    """For what does not depend on how much is said: several segments of each of two speakers."""
    (tmp_path / "recordings").mkdir()
    return beginning(new_recording, 12, tmp_path / "recordings" / "twelve.wav")


def test_corrected_text_is_saved_and_leaving_without_saving_is_asked(url, open_page, short_recording, tmp_path):
    page = open_page(url, viewport={"width": 360, "height": 740}, locale="es-MX", service_workers="block")
    wait_for(page, "#model-state", "listo")
    page.set_input_files("#files", short_recording)
    wait_for(page, "article", "Terminado")
    box = page.get_by_role("textbox", name="Texto 0:").first
    box.press("ControlOrMeta+a")
    page.keyboard.type("tlazohcamati, nocniuh")
    srt = page.get_by_role("button", name=".srt")
    questions = []

    def stay(dialog):
        questions.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.get_by_role("link", name="Preparar").click()
    page.context.route("**/python-worker.js", lambda route: route.abort(), times=1)
    srt.click()
    wait_for(page, "article .problem", "Error inesperado")
    page.get_by_role("link", name="Preparar").click()
    assert questions == ["beforeunload"] * 2
    text = saved(page, srt, tmp_path).read_text(encoding="utf-8")
    assert text.splitlines()[2] == "tlazohcamati, nocniuh"
    assert page.locator("article .problem").is_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.documentElement.lang") == "es"
    page.select_option("#language", "en")
    wait_for(page, "article", "Done:")
    page.get_by_role("link", name="Prepare").click()
    wait_for(page, "#state", "Starting Python")
    assert len(questions) == 2


def segments_of(page):
    return page.evaluate("document.querySelector('u2u-editor').written().length")


def test_corrections_survive_a_reload_until_they_are_deleted(url, open_page, short_recording, elan_schema, tmp_path):
    page = open_page(url, service_workers="block")
    page.on("dialog", lambda dialog: dialog.accept())
    wait_for(page, "#model-state", "ready")
    page.set_input_files("#files", short_recording)
    wait_for(page, "article", "Done:")
    page.get_by_role("textbox", name="Text 0:").first.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("ñuu sàví")
    page.keyboard.press("Home")
    for _ in "ñuu ":
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+b")
    written = page.evaluate("document.querySelector('u2u-editor').written()")
    page.reload()  # at once
    wait_for(page, "article", "Your corrections from before. To hear the recording, choose its file again.")
    assert page.evaluate("document.querySelector('u2u-editor').written()") == written
    assert page.evaluate("!dispatchEvent(new Event('beforeunload', {cancelable: true}))")  # they are in no file yet
    assert page.get_by_role("button", name="Play", exact=True).is_disabled()
    other = page.context.new_page()
    other.goto(url)
    wait_for(other, "#results", f"{short_recording.name}: is open in another tab: correct it there.")
    other.close()
    copied = shutil.copyfile(short_recording, tmp_path / short_recording.name)  # of another date
    page.set_input_files("#files", copied)
    wait_for(page, "article", "Your corrections from before, with their recording.")
    assert page.locator("article").count() == 1
    page.get_by_role("textbox", name="Text 0:").first.focus()
    page.keyboard.press("Control+Space")  # rows are played by key
    page.wait_for_function("document.querySelector('u2u-editor').audio.currentTime > 0")
    eaf = saved(page, page.get_by_role("button", name=".eaf"), tmp_path)
    elan_schema(eaf)
    assert sorted(a.value for t in read_eaf(eaf).tiers for a in t.annotations if a.value in ("ñuu", "sàví")) == [
        "sàví",
        "ñuu",
    ]
    page.get_by_role("button", name="Delete the corrections kept here").click()
    page.locator("article").wait_for(state="detached")
    page.reload()
    wait_for(page, "#model-state", "ready")
    assert page.locator("article").count() == 0


# What the worker says after the first recognised segment waits until the test calls `release`.
PAUSED_WORKER = """
    const held = [];
    let open = false;
    window.release = () => { open = true; for (const handle of held.splice(0)) handle(); };
    window.Worker = class extends Worker {
        set onmessage(handle) {
            let paused = false;
            super.onmessage = (event) => {
                if (paused && !open) held.push(() => handle(event));
                else handle(event);
                paused ||= event.data.kind === "recognized";
            };
        }
    };
"""


def test_corrections_made_while_it_is_transcribed_survive_with_the_rest(url, open_page, short_recording):
    page = open_page("about:blank", service_workers="block")
    page.on("dialog", lambda dialog: dialog.accept())
    page.add_init_script(PAUSED_WORKER)
    written = "document.querySelector('u2u-editor').written()"

    def correct_the_first():
        page.goto(url)
        wait_for(page, "#model-state", "ready")
        page.set_input_files("#files", short_recording)
        page.locator("article textarea:not([readonly])").fill("ñuu sàví")
        page.locator("article .note").wait_for()  # they are kept

    correct_the_first()
    page.evaluate("release()")
    wait_for(page, "article", "Done:")
    whole = page.evaluate(written)
    assert sum(bool(segment["text"]) for segment in whole) > 1
    page.reload()  # at once
    wait_for(page, "article", "Your corrections from before.")
    assert page.evaluate(written) == whole
    assert "Not all of it was recognised" not in page.locator("article").inner_text()
    page.get_by_role("button", name="Delete the corrections kept here").click()
    page.locator("article").wait_for(state="detached")

    correct_the_first()
    page.reload()  # in the middle
    wait_for(page, "article", "Not all of it was recognised: when you choose the file, it is also transcribed again")
    assert [segment["text"] for segment in page.evaluate(written) if segment["text"]] == ["ñuu sàví"]
    wait_for(page, "#model-state", "ready")
    page.evaluate("release()")
    page.set_input_files("#files", short_recording)
    wait_for(page, "article:nth-child(1)", "Your corrections from before, with their recording.")
    wait_for(page, "article:nth-child(2)", "Done:")
    assert len(page.evaluate("document.querySelectorAll('u2u-editor')[1].written()")) == len(whole)
    assert [segment["text"] for segment in page.evaluate(written) if segment["text"]] == ["ñuu sàví"]


def test_where_tabs_cannot_know_of_each_other_nothing_is_kept(url, open_page, short_recording):
    page = open_page("about:blank", service_workers="block")
    page.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")  # as at http://
    page.goto(url)
    wait_for(page, "#model-state", "ready")
    page.set_input_files("#files", short_recording)
    wait_for(page, "article", "Done:")
    page.get_by_role("textbox", name="Text 0:").first.fill("ñuu sàví")
    wait_for(page, "article .note", "At an http:// address your browser keeps no corrections: save them")
    assert page.evaluate("!dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    assert page.evaluate("import('./kept.js').then(({ kept }) => kept())") == []


def test_a_damaged_kept_transcript_hides_no_other(url, open_page):
    page = open_page(f"{url}/style.css")
    page.evaluate("""async () => {
        const { keep } = await import("./kept.js");
        const file = (name) => ({ name, size: 1, lastModified: 0 });
        const opened = { durationMs: 2000, channels: 1 };
        const segments = [{ channel: 0, start_ms: 0, end_ms: 1000, text: "ba", confidence: 1, words: [] }];
        await keep({ id: "a", begun: 1, file: file("damaged.wav"), opened, segments: 5 }, []);
        await keep({ id: "b", begun: 2, file: file("whole.wav"), opened, segments }, []);
    }""")
    page.goto(url)
    wait_for(page, "#results", "damaged.wav: the corrections kept of it are damaged and cannot be shown")
    wait_for(page, "article", "whole.wav")
    expect(page.get_by_role("textbox", name="Text 0:")).to_have_value("ba")
    assert page.locator("article").count() == 1


def test_corrections_deleted_while_they_are_saved_are_asked_for_and_stay_deleted(url, open_page, short_recording):
    page = open_page(url, service_workers="block")
    wait_for(page, "#model-state", "ready")
    page.set_input_files("#files", short_recording)
    wait_for(page, "article", "Done:")
    page.get_by_role("textbox", name="Text 0:").first.fill("ñuu sàví")
    page.locator("article .note").wait_for()  # they are kept
    python = []
    page.context.route("**/python-worker.js", lambda route: python.append(route))  # it starts when the test lets it
    page.get_by_role("button", name=".srt").click()
    assert page.evaluate("!dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    delete = page.get_by_role("button", name="Delete the corrections kept here")
    questions = []

    def answer(dialog):
        questions.append(dialog.message)
        dialog.accept() if len(questions) > 1 else dialog.dismiss()

    page.on("dialog", answer)
    delete.click()
    assert page.locator("article").count() == 1
    delete.click()
    page.locator("article").wait_for(state="detached")
    assert questions == ["These corrections are in no file yet. Delete them?"] * 2
    with page.expect_download():
        python[0].continue_()
    page.wait_for_timeout(500)  # corrections are kept after 200 ms
    page.reload()
    wait_for(page, "#model-state", "ready")
    assert page.locator("article").count() == 0


def test_one_channel_is_transcribed_while_the_rest_is_read(url, open_page, exported, new_recording, tmp_path):
    samples, rate = soundfile.read(new_recording, dtype="int16")
    mono = tmp_path / "mono.flac"
    soundfile.write(mono, np.tile(samples[:, 0], 6), rate)
    page = open_page(url)
    wait_for(page, "#model-state", "ready")
    page.set_input_files("#files", mono)
    page.locator("article textarea:not([readonly])").first.wait_for()
    some = segments_of(page)
    wait_for(page, "article", "Done:")
    transcript = in_python(exported, mono)
    assert some < len(transcript.segments)
    tiers = {tier.name: tier for tier in read_eaf(saved(page, page.get_by_role("button", name=".eaf"), tmp_path)).tiers}
    spans = [(a.start_ms, a.end_ms) for a in tiers["transcript"].annotations]
    assert spans == [(s.start_ms, s.end_ms) for s in transcript.segments]


GRAPHICS = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-unsafe-swiftshader")


def test_the_graphics_processor_gives_the_same_text_also_offline(site, open_page, exported, new_recording, tmp_path):
    """WebGPU runs in software here: slow, but complete."""
    recording = beginning(new_recording, 4, tmp_path / "short.wav")
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
    wait_for(page, "article", "Done:")
    texts = page.locator("article textarea").evaluate_all("boxes => boxes.map((box) => box.value)")
    segments = in_python(exported, recording).segments
    assert texts == [s.text for s in sorted(segments, key=lambda s: (s.start_ms, s.channel))]
    assert any(texts)


def test_a_phone_does_not_download_float32_weights(url, open_page):
    phone = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"
    wait_for(open_page(url, *GRAPHICS, user_agent=phone), "#model-state", "processor cores")


def test_a_model_that_fails_on_the_graphics_processor_runs_on_processors(site, open_page, tmp_path):
    shutil.copytree(site, tmp_path / "site")
    (tmp_path / "site" / "model" / "onnx" / "model.onnx").write_bytes(b"broken")
    with served(tmp_path / "site") as address:
        wait_for(open_page(address, *GRAPHICS), "#model-state", "processor cores")


def test_the_microphone_is_recorded_without_processing(url, open_page, new_recording, tmp_path):
    page = open_page(url)
    wait_for(page, "#model-state", "ready")
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("button", name="Stop recording").wait_for()
    page.wait_for_timeout(3000)
    would_leave = "dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert not page.evaluate(would_leave)
    page.get_by_role("button", name="Stop recording").click()
    wait_for(page, "article", "Done:")
    assert not page.evaluate(would_leave)
    recording = saved(page, page.get_by_role("button", name="Save the recording"), tmp_path)
    assert page.evaluate(would_leave)
    recorded, rate = soundfile.read(recording, always_2d=True)
    assert 2 < len(recorded) / rate < 8
    source, source_rate = soundfile.read(new_recording)
    source = torchaudio.functional.resample(torch.from_numpy(source[:, 0]), source_rate, rate).numpy()
    # Cosine similarity at the best alignment: 1 for the same waveform.
    part = recorded[rate : 2 * rate, 0]
    products = np.fft.irfft(np.fft.rfft(source) * np.conj(np.fft.rfft(part, len(source))), len(source))
    at = int(products[: len(source) - len(part)].argmax())
    assert products[at] / np.linalg.norm(part) / np.linalg.norm(source[at : at + len(part)]) > 0.99


def test_unplugging_the_microphone_keeps_the_recording(url, open_page, tmp_path):
    page = open_page("about:blank")
    page.add_init_script("""
        const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
        if (open) navigator.mediaDevices.getUserMedia = async (wish) => (window.microphone = await open(wish));
    """)
    page.goto(url)
    wait_for(page, "#model-state", "ready")
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("button", name="Stop recording").wait_for()
    page.wait_for_timeout(2000)
    page.evaluate("window.microphone.getTracks().forEach((track) => track.stop())")
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Stop recording").click()
    recording = saved(page, page.get_by_role("button", name="Save the recording"), tmp_path)
    assert soundfile.info(recording).duration > 0.5


def test_time_0_is_the_start_of_the_file_whatever_its_timestamps(url, open_page, tmp_path):
    signal = np.tile(0.4 * np.sin(np.arange(6 * 48_000) / 20), (2, 1)).astype(np.float32)
    signal[:, : 2 * 48_000] = 0
    write_with_ffmpeg(tmp_path / "a.mts", "aac", signal, 48_000, starts_at=1)
    page = open_page(url)
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), {type: 'file', id: 'here'}))")
    page.set_input_files("#here", tmp_path / "a.mts")
    read = """async (startMs) => {
        const { openAudio } = await import("./audio.js");
        const audio = await openAudio(document.querySelector("#here").files[0]);
        const [left] = await audio.read(startMs, 6000);
        const loud = (sample) => Math.abs(sample) > 0.2;
        return [audio.durationMs, left.findIndex(loud) / 16 + startMs, left.findLastIndex(loud) / 16 + startMs];
    }"""
    for start_ms in (0, 1500):
        assert page.evaluate(read, start_ms) == pytest.approx([6000, 2000, 6000], abs=50)


READ_PARTS = """async (starts) => {
    const { openAudio } = await import("./audio.js");
    const text = (row) => btoa(String.fromCharCode(...new Uint8Array(row.slice().buffer)));
    const answers = {};
    for (const file of document.querySelector("#here").files) {
        const audio = await openAudio(file);
        const parts = [];
        for (const start of starts) parts.push((await audio.read(start, start + 300)).map(text));
        audio.close();
        answers[file.name] = { channels: audio.channels, ms: audio.durationMs, parts };
    }
    return answers;
}"""


def write_mono_tracks(path, signal, rate):
    with av.open(path, "w") as media:
        streams = [media.add_stream("pcm_s16le", rate=rate, layout="mono") for _ in signal]
        for stream, row in zip(streams, signal, strict=True):
            frame = av.AudioFrame.from_ndarray((row[None] * 32767).astype(np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = rate, 0
            media.mux([*stream.encode(frame), *stream.encode(None)])


def test_recordings_are_read_whole_from_every_place(url, open_page, tmp_path):
    """Wrong lengths, odd rates, tracks for channels, lossy decoders that begin in the middle."""
    rate = 44_100

    def tones(clock):
        """Two rising tones, in which every moment sounds otherwise."""
        return np.stack([0.3 * np.sin(2 * np.pi * (f + 150 * clock) * clock) for f in (200, 330)])

    sound = tones(np.arange(4 * rate) / rate).astype(np.float32)
    soundfile.write(tmp_path / "never.wav", sound.T, rate)
    wav = bytearray((tmp_path / "never.wav").read_bytes())
    wav[4:8] = wav[40:44] = bytes(4)
    (tmp_path / "never.wav").write_bytes(wav)
    wav[4:8] = wav[40:44] = struct.pack("<I", len(wav) // 2)
    (tmp_path / "early.wav").write_bytes(wav)
    wild = 4 * sound[0]
    wild[rate : rate + 3] = np.nan, np.inf, -np.inf
    soundfile.write(tmp_path / "wild.wav", wild, rate, subtype="FLOAT")
    soundfile.write(tmp_path / "odd.wav", sound[0], 44_101)
    for name in ("a.mp3", "b.ogg", "c.flac"):
        soundfile.write(tmp_path / name, sound[0], rate)
    soundfile.write(tmp_path / "d.opus", sound[0], 48_000, format="OGG", subtype="OPUS")
    soundfile.write(tmp_path / "e.mp3", sound[0], 22_050)
    write_with_ffmpeg(tmp_path / "f.m4a", "aac", sound, rate)
    write_with_ffmpeg(tmp_path / "g.aac", "aac", sound, rate)
    write_mono_tracks(tmp_path / "camera.mov", sound, rate)

    paths = sorted(tmp_path.iterdir())
    page = open_page(f"{url}/style.css")  # no model is needed
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), {type: 'file', id: 'here'}))")
    page.evaluate("document.querySelector('#here').multiple = true")
    page.set_input_files("#here", paths)
    starts_ms = (0, 900, 1500, 3200)
    for name, found in page.evaluate(READ_PARTS, starts_ms).items():
        info = audio_info(tmp_path / name)
        assert (found["channels"], found["ms"]) == (info.channels, info.duration_ms), name
        late = 1024 if name == "g.aac" else 0  # samples that the encoder added: the file does not tell
        for start_ms, part in zip(starts_ms, found["parts"], strict=True):
            clock = np.arange(16 * start_ms, 16 * (start_ms + 300)) / 16_000
            expected = tones((clock * info.sampling_rate - late) / rate)[: info.channels]
            if name == "wild.wav":
                expected *= 4
            if late and not start_ms:
                continue
            heard = [np.frombuffer(base64.b64decode(row), "<f4") for row in part]
            difference = np.abs(heard - expected)
            assert np.isfinite(difference).all(), name
            # The resampling filter spreads the broken samples; FFmpeg's AAC is not exact: one frame is 7 % of a part.
            allowed = 10 if name == "wild.wav" else difference.size // 20 if name in ("f.m4a", "g.aac") else 0
            assert (difference > 0.05).sum() <= allowed, (name, start_ms)


def test_segments_before_damage_can_be_saved(url, open_page, new_recording, elan_schema, tmp_path):
    samples, rate = soundfile.read(new_recording, dtype="float32", always_2d=True)
    one = np.resize(samples[:, 0], (1, 150 * rate))  # one channel, so that it is transcribed while the rest is read
    write_with_ffmpeg(tmp_path / "damaged.m4a", "aac", one, rate)
    data = bytearray((tmp_path / "damaged.m4a").read_bytes())
    damage = int(len(data) * 0.85)
    data[damage : damage + 4000] = np.random.default_rng(0).bytes(4000)
    (tmp_path / "damaged.m4a").write_bytes(data)
    page = open_page(url)
    wait_for(page, "#model-state", "ready")
    page.set_input_files("#files", tmp_path / "damaged.m4a")
    wait_for(page, "article .problem", "damaged.m4a: cannot be read")
    eaf = saved(page, page.get_by_role("button", name=".eaf"), tmp_path)
    elan_schema(eaf)
    assert any(a.value for tier in read_eaf(eaf).tiers for a in tier.annotations)


def test_lack_of_space_and_of_memory_is_shown(site, open_page, exported, new_recording, tmp_path):
    with hub_and_page(site, tmp_path, model="ana/ears") as (hub, address):
        add_model(hub, exported)
        page = open_page("about:blank")
        quota_bytes = (exported / "onnx" / "model_quantized.onnx").stat().st_size // 2
        quota = {"origin": address, "quotaSize": quota_bytes}
        page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)
        page.goto(address)
        wait_for(page, "#problem", "ana/ears: there is no such model, or it is private (401)")
        load_from_hub(page, "hf_ana_read")
        wait_for(page, "#model-state", "ana/ears is ready, on")
        wait_for(page, "#model-state", "Your browser has no space to store it")
        write_greedy_model(tmp_path / "model_quantized.onnx")
        page.set_input_files("#model-files", [*exported.glob("*.json"), tmp_path / "model_quantized.onnx"])
        wait_for(page, "#model-state", "The model from your computer is ready")
        page.set_input_files("#files", new_recording)
        wait_for(page, "article .problem", "The browser is out of memory")


def write_greedy_model(path):
    """Write a model that asks for all memory of WebAssembly, 4 GB, for any input."""
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


def test_a_new_catalogue_is_a_new_language_of_the_page(url, open_page):
    """Visitors whose browser prefers it see it at once; all others can choose it."""
    own = 'MESSAGES.nl = { ...MESSAGES.en, language: "Nederlands", model: "Getraind model", recordings: "Opnames" };'
    for locale, chosen in (("nl-BE", "nl"), ("es-PE", "es"), ("de-DE", "en")):
        page = open_page("about:blank", locale=locale, service_workers="block")

        def with_catalogue(route):
            answer = route.fetch()
            route.fulfill(response=answer, body=f"{answer.text()}\n{own}\n")

        page.context.route("**/messages.js", with_catalogue)
        page.goto(url)
        wait_for(page, "#model-state", "model" if chosen != "es" else "modelo")
        assert page.evaluate("document.documentElement.lang") == chosen
        page.select_option("#language", label="Nederlands")
        wait_for(page, "#model-title", "Getraind model")
        page.reload()
        wait_for(page, "#recordings-title", "Opnames")


@pytest.mark.parametrize(
    ("language", "scheme"), [("en-US", "light"), ("fr-FR", "dark"), ("pt-BR", "light"), ("id-ID", "dark")]
)
def test_pages_pass_axe_in_each_language(url, open_page, npm_packages, language, scheme):
    """Labels and widths are of the language, colours of the scheme."""
    page = open_page(url, locale=language, color_scheme=scheme, viewport={"width": 390, "height": 800})
    page.locator("#model-choice summary").click()
    for name in ("index", "prepare"):
        page.goto(f"{url}/{name}.html")
        page.locator("#language").wait_for()
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert axe.findings(page, npm_packages) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_unusable_files_are_named(url, open_page, tmp_path):
    page = open_page(url)
    wait_for(page, "#model-state", "ready")
    (tmp_path / "notes.wav").write_text("not a recording")
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000), 16_000)
    ogg, m4a = tmp_path / "joined.ogg", tmp_path / "half.m4a"
    soundfile.write(ogg, np.zeros(16_000), 16_000)
    ogg.write_bytes(ogg.read_bytes() * 2)
    write_with_ffmpeg(m4a, "aac", np.zeros((1, 48_000), np.float32), 48_000)
    m4a.write_bytes(m4a.read_bytes()[:500])
    soundfile.write(tmp_path / "slow.wav", np.zeros(999), 999)
    soundfile.write(tmp_path / "many.wav", np.zeros((10, 257)), 16_000)
    given = [tmp_path / "notes.wav", tmp_path / "silence.wav", ogg, m4a, tmp_path / "slow.wav", tmp_path / "many.wav"]
    page.set_input_files("#files", given)
    wait_for(page, "article:nth-child(1) .problem", "notes.wav: cannot be read")
    wait_for(page, "article:nth-child(2)", "No speech was found.")
    wait_for(page, "article:nth-child(3) .problem", "joined.ogg: several Ogg recordings were joined into this file.")
    wait_for(page, "article:nth-child(4) .problem", "half.m4a: is incomplete")
    wait_for(page, "article:nth-child(5) .problem", "slow.wav: its header says 999 Hz × 1 channels")
    wait_for(page, "article:nth-child(6) .problem", "many.wav: its header says 16000 Hz × 257 channels")
    page.locator("#model-choice summary").click()
    config = tmp_path / "config.json"
    config.write_text('{"architectures": ["WhisperModel"]}')
    page.set_input_files("#model-files", config)
    wait_for(page, "#problem", "this kind of model is not supported (WhisperModel)")
    config.write_text('{"architectures": ["HubertForCTC"]}')
    page.set_input_files("#model-files", config)
    wait_for(page, "#problem", "vocab.json is missing. Export the model")


def test_after_a_model_that_cannot_be_loaded_recordings_ask_for_one(url, open_page, exported, tmp_path):
    """The one before it was used on, though the page said that there was none, or failed with an obscure error."""
    (tmp_path / "unsupported").mkdir()
    (tmp_path / "unsupported" / "config.json").write_text('{"architectures": ["WhisperModel"]}')
    (tmp_path / "model_quantized.onnx").write_bytes(b"broken")
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000), 16_000)
    broken = [*exported.glob("*.json"), tmp_path / "model_quantized.onnx"]
    page = open_page(url)
    for files in (broken, [tmp_path / "unsupported" / "config.json"]):
        page.goto(url)
        wait_for(page, "#model-state", "ready")
        page.set_input_files("#model-files", files)
        wait_for(page, "#model-state", "No model is loaded")
        page.set_input_files("#files", tmp_path / "silence.wav")
        wait_for(page, "article .problem", "silence.wav: load a model first")


def test_a_private_model_needs_its_token_once_then_works_offline(site, open_page, exported, short_recording, tmp_path):
    with hub_and_page(site, tmp_path) as (hub, address):
        add_model(hub, exported)
        page = open_page(address)
        page.set_input_files("#files", short_recording)
        wait_for(page, "article", "load a model first")
        load_from_hub(page, "")
        wait_for(page, "#problem", "ana/ears: there is no such model, or it is private (401)")
        load_from_hub(page, "hf_nobodys")
        wait_for(page, "#problem", "ana/ears: the token gives no access (401)")
        load_from_hub(page, "hf_ben_read")
        wait_for(page, "#problem", "ana/ears: the token gives no access (404)")
        load_from_hub(page, "hf_ana_read")
        wait_for(page, "#model-state", "ana/ears is ready")
        assert "hf_ana" not in page.evaluate(
            "caches.open('u2u-hf-models').then((c) => c.keys()).then((keys) => keys.map((k) => k.url).join())"
            ".then((urls) => urls + JSON.stringify(localStorage))"
        )
        page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    # The page's server and the Hub are both gone.
    page.reload()
    wait_for(page, "#model-state", "No model is loaded")
    load_from_hub(page, "")
    wait_for(page, "#model-state", "ana/ears is ready")
    page.set_input_files("#files", short_recording)
    wait_for(page, "article", "Done:")
    assert "-->" in saved(page, page.get_by_role("button", name=".srt"), tmp_path).read_text(encoding="utf-8")
