"""The recogniser as ELAN starts it, with a model: what comes into ELAN's window, and what when something is wrong."""

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from u2u_hf.data.audio import audio_info
from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.integrations.elan import extension as elan_extension
from u2u_hf.records import Annotation, Tier
from u2u_hf.transcription.segmentation import find_speech
from u2u_hf.transcription.voice_detection import VadSettings

pytest_plugins = ["support.elan_host", "support.browser_fixtures"]

HOURS = 5


@pytest.fixture(scope="module")
def model(exported, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "Ñuu Savi's model"
    shutil.copytree(exported, folder)
    return folder


@pytest.fixture
def recording(new_recording, tmp_path):
    path = tmp_path / "corpus of ñandu & co" / "a story.wav"
    path.parent.mkdir()
    shutil.copy(new_recording, path)
    return path


@pytest.fixture
def elan(new_elan, model):
    elan = new_elan("ELAN 7.0 ñ")
    extension = elan_extension.install(elan.extensions, model.name, str(model), model)
    elan.transcribe, elan.align, elan.find_speech = extension.entries
    return elan


@pytest.fixture(scope="module")
def written(model, new_recording, recipe, tmp_path_factory):
    """Tier → (start ms, end ms, text), of the file that recipes/transcribe.py writes; names as in ELAN's result."""
    return by_recipe(recipe, tmp_path_factory.mktemp("recipe"), model, new_recording)


def by_recipe(recipe, folder, model, recording, *settings):
    result = recipe("transcribe.py", "--model", model, "--output_dir", folder / "out", *settings, recording)
    assert result.returncode == 0, result.stderr
    (file,) = (folder / "out").glob("*.eaf")
    tiers = {tier.name.replace(" ", "_"): as_spans(tier.annotations) for tier in read_eaf(file).tiers}
    return {name: spans for name, spans in tiers.items() if spans}


def as_spans(annotations):
    return [(a.start_ms, a.end_ms, a.value) for a in annotations]


def left_beside(recording):
    return sorted(path.name for path in recording.parent.iterdir() if path != recording)


def test_a_transcript_is_that_of_the_recipe(elan, recording, written):
    curve = recording.parent.parent / "curve ñ.xml"
    run = elan.run(elan.transcribe, source=recording, output_curve=curve)
    assert run.result == "done", run.lines
    assert run.errors == run.nothing == []
    assert run.exit[0] == "0"
    assert run.tiers == written
    assert {"channel_1", "channel_1_words", "channel_2", "channel_2_words"} <= set(run.tiers)
    words = sorted((start, end - 1) for start, end, _ in run.tiers["channel_2_words"])
    points = run.tracks["confidence_channel_2"]
    assert sorted({t for t, *_ in points} & {t for word in words for t in word}) == sorted(
        {t for w in words for t in w}
    )
    assert all(0 <= value <= 1 for _, value, _ in points)
    # Every line is one that ELAN understands, or a sentence.
    lines = [text for _, text in run.lines]
    assert lines[0] == "PROGRESS: 0.00 starting"
    assert lines[-1] == "RESULT: DONE."
    assert [line for line in lines if not line.startswith("PROGRESS: ")] == lines[-2:]
    assert lines[-2].endswith(f"tiers: {', '.join(run.tiers)}")
    percents = [percent for percent, _ in run.bars]
    assert percents == sorted(percents)
    assert percents[-1] == 99
    assert any("transcribing, 0:" in doing for _, doing in run.bars)
    assert left_beside(recording) == [run.made["output_tiers"].name]


def test_speech_is_found_as_in_the_transcript(elan, recording, written):
    run = elan.run(elan.find_speech, source=recording)
    assert run.result == "done"
    assert run.tiers == {
        f"speech_channel_{n}": [(start, end, "") for start, end, _ in written[f"channel_{n}"]] for n in (1, 2)
    }
    only_first = elan.run(elan.find_speech, source=recording, all_channels="no")
    alone = find_speech(audio_info(first_channel(recording)), VadSettings()).segments
    assert only_first.tiers == {"speech_channel_1": [(s.start_ms, s.end_ms, "") for s in alone]}


def first_channel(recording):
    """A mono file of a recording's first channel."""
    samples, rate = soundfile.read(recording, always_2d=True)
    path = recording.with_name("first channel.wav")
    soundfile.write(path, samples[:, 0], rate)
    return path


def test_nobody_has_chosen_a_tier_or_set_a_number(elan, recording, written):
    """Then ELAN passes a tier without annotations, and Java's least number (TierSelectionPanel, NumParam)."""
    numbers = dict.fromkeys(("sensitivity", "longest_segment", "unsure_below"), "unset")
    assert elan.run(elan.transcribe, source=recording, input_tier=[], all_channels="", **numbers).tiers == written


def test_parameters_are_those_of_the_recipe(elan, recording, model, recipe, tmp_path):
    flags = ["--threshold", 0.3, "--max_segment_ms", 5000, "--unsure_below", 0.5]
    expected = by_recipe(recipe, tmp_path, model, recording, *flags)
    values = {"sensitivity": 0.7, "longest_segment": 5, "unsure_below": 0.5}
    assert elan.run(elan.transcribe, source=recording, **values).tiers == expected


def own_file(folder, recording, annotations):
    """An .eaf of a person with one tier."""
    folder.mkdir()
    tier = Tier("tx", tuple(Annotation(*span) for span in annotations), "transcription", participant="Ana")
    write_eaf(folder / f"{recording.stem}.eaf", [tier], [recording])
    return folder


def test_the_words_of_a_tier_are_aligned_though_elan_does_not_escape_them(
    elan, recording, model, recipe, written, tmp_path
):
    spans = [
        (s, e, f"{text} & <b>{text}</b>" if n == 0 else text) for n, (s, e, text) in enumerate(written["channel_1"])
    ]
    folder = own_file(tmp_path / "elan", recording, spans)
    expected = by_recipe(recipe, tmp_path, model, recording, "--annotations", folder, "--align", "tx")
    run = elan.run(elan.align, source=recording, input_tier=spans)
    assert run.result == "done", run.lines
    assert run.tiers["aligned_words"] == expected["tx_transcript_words"]
    assert [span[:2] for span in run.tiers["aligned_fit"]] == [span[:2] for span in spans]
    assert all(text.endswith("%") for *_, text in run.tiers["aligned_fit"])
    assert set(run.tiers) == {"aligned_words", "aligned_fit"}


@pytest.fixture
def long_recording(new_recording, tmp_path):
    """Five hours of stereo in a sparse file, with the new recording at the end; and where that begins (ms)."""
    samples, rate = soundfile.read(new_recording, dtype="int16")
    path = tmp_path / "long.wav"
    bytes_before = HOURS * 3600 * rate * 4
    with soundfile.SoundFile(path, "w", rate, 2, "PCM_16") as file:
        file.write(samples)
    header = path.read_bytes()[:44]
    sound = path.read_bytes()[44:]
    with open(path, "wb") as file:
        sizes = (
            (36 + bytes_before + len(sound)).to_bytes(4, "little"),
            (bytes_before + len(sound)).to_bytes(4, "little"),
        )
        file.write(header[:4] + sizes[0] + header[8:40] + sizes[1])
        file.seek(bytes_before, os.SEEK_CUR)
        file.write(sound)
    return path, HOURS * 3_600_000


def test_times_are_exact_after_five_hours(elan, long_recording, model, recipe, written, tmp_path):
    path, begin = long_recording
    # Odd milliseconds, which a float of 32 bits does not have there.
    spans = [(begin + s, begin + e + 1 - (e % 2), "?") for s, e, _ in written["channel_2"]]
    folder = own_file(tmp_path / "elan", path, spans)
    expected = by_recipe(recipe, tmp_path, model, path, "--annotations", folder, "--segments_from", "tx")
    run = elan.run(elan.transcribe, source=path, input_tier=spans)
    assert run.result == "done", run.lines
    assert run.tiers == {
        name.removeprefix("tx_"): own for name, own in expected.items() if name.startswith("tx_transcript")
    }
    assert [span[:2] for span in run.tiers["transcript"]] == [span[:2] for span in spans]
    assert "".join(text for *_, text in run.tiers["transcript"])


def test_two_at_once(elan, new_elan, model, recording, written):
    other = new_elan("ELAN_6-9")
    entry = elan_extension.install(other.extensions, "other", "ana/other", model).entries[0]
    started = [elan.start(elan.transcribe, source=recording), other.start(entry, source=recording)]
    runs = [elan.finished(process) for process in started]
    assert [run.tiers for run in runs] == [written, written]
    assert len(left_beside(recording)) == 2


@pytest.mark.parametrize("at", ["starting", "transcribing"])
def test_cancel_ends_everything_and_leaves_nothing(elan, recording, at):
    run = elan.run(elan.transcribe, cancel=at, source=recording)
    assert run.result == "cancelled"
    assert run.exit[0] == "143"
    assert not os.path.exists(f"/proc/{run.process}")
    assert run.nothing == ["output_tiers"]
    assert left_beside(recording) == []


def test_a_result_from_before_stays_when_the_next_is_cancelled(elan, recording):
    result = recording.parent / "result.xml"
    result.write_text("<TIERS/>")
    os.utime(result, (0, 0))
    run = elan.run(elan.transcribe, cancel="starting", source=recording, output_tiers=result)
    assert run.nothing == ["output_tiers"]
    assert result.read_text() == "<TIERS/>"


def test_the_end_of_elan_is_its_end(elan, recording):
    host = elan.start(elan.transcribe, source=recording)
    seen = []

    def kill(run):
        if run.bars and not seen:
            seen.append(run.process)
            host.kill()

    with contextlib.suppress(AssertionError):
        elan.finished(host, kill)
    gone = f"/proc/{seen[0]}"
    deadline = time.monotonic() + 20
    while os.path.exists(gone) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(gone)
    assert left_beside(recording) == []


def fails(elan, entry, recording, **values):
    """Press Start → the one line that says why it failed."""
    run = elan.run(entry, **values)
    assert run.result == "failed", run.lines
    assert run.exit[0] == "1"
    assert [line for _, line in run.lines if not line.startswith("PROGRESS")] == [run.problem, "RESULT: FAILED."]
    assert len(run.problem) < 250
    # ELAN asks whether to load what is there after a failure too.
    assert run.nothing == ["output_tiers"]
    assert run.errors == []
    assert not [name for name in left_beside(recording) if name.endswith((".xml", ".part"))]
    return run.problem


def test_a_model_that_was_moved_is_told(elan, recording, tmp_path):
    entry = elan_extension.install(elan.extensions, "gone", "ana/gone", tmp_path / "gone ñ").entries
    problem = fails(elan, entry[0], recording, source=recording)
    assert problem == (
        f"{tmp_path}/gone ñ: the model is not there any more: install the menu again with the model's new folder"
    )
    assert elan.run(entry[2], source=recording).result == "done"


def test_a_recording_that_changes_meanwhile_is_told(elan, recording):
    def change(run):
        if run.bars and run.bars[-1][1].startswith("transcribing"):
            os.utime(recording, (1, 1))

    run = elan.finished(elan.start(elan.transcribe, source=recording), change)
    assert run.result == "failed"
    assert run.problem == f"{recording}: changed while it was read: wait until it is saved, and press Start again"
    assert run.nothing == ["output_tiers"]


def test_a_full_disk_is_told_and_nothing_half_written_is_read(elan, recording, monkeypatch):
    popen = subprocess.Popen

    def small_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))

    monkeypatch.setattr(subprocess, "Popen", lambda *a, **s: popen(*a, **s, preexec_fn=small_disk))
    elan._command.insert(1, "-XX:-UsePerfData")
    problem = fails(elan, elan.transcribe, recording, source=recording)
    assert problem.endswith("cannot be written (File too large)")


def not_a_sound(path):
    path.write_text("I am not a sound")


def silence(path):
    soundfile.write(path, np.zeros(48_000), 16_000)


NOT_SOUND = "not a sound file that can be read"
WRONG = {
    "no recording": ("transcribe", {"source": ""}, None, "no recording: link one in ELAN"),
    "a recording that is gone": (
        "transcribe",
        {},
        os.unlink,
        "a story.wav: there is no such recording: link it in ELAN",
    ),
    "not a sound": ("transcribe", {}, not_a_sound, f"a story.wav: {NOT_SOUND}"),
    "silence": ("transcribe", {}, silence, "no speech found: raise the sensitivity (Advanced parameters)"),
    "a number too high": (
        "transcribe",
        {"sensitivity": 3},
        None,
        "Sensitivity to speech: 3.0 is not a number from 0.1 to 0.9",
    ),
    "a number too low": (
        "find_speech",
        {"longest_segment": -1},
        None,
        "Longest segment, seconds: -1.0 is not a number from 5",
    ),
    "not a choice": (
        "find_speech",
        {"all_channels": "maybe"},
        None,
        "A tier for each channel: 'maybe' is not one of yes, no",
    ),
    "no tier to align": ("align", {}, None, "Tier with the transcripts: choose a tier whose annotations hold text"),
    "nothing to align": ("align", {"input_tier": [(0, 900, " ")]}, None, "choose a tier whose annotations hold text"),
    "a tier that is gone": (
        "align",
        {"input_tier": "/gone/tier.xml"},
        None,
        "/gone/tier.xml: the chosen tier cannot be read",
    ),
    "after the end": (
        "transcribe",
        {"input_tier": [(10**7, 10**7 + 900, "a")]},
        None,
        "the annotation is not inside the audio",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_one_line(name, elan, recording):
    entry, values, change, message = WRONG[name]
    if change:
        change(recording)
    # ELAN made the file beforehand, and now the recording is another one.
    values = {"source": recording, "output_tiers": recording.parent / "result.xml", **values}
    assert message in fails(elan, getattr(elan, entry), recording, **values)


def test_no_parameters_are_told(model):
    command = [sys.executable, "-m", "u2u_hf.integrations.elan.recogniser", "--task", "transcribe", "--model", model]
    result = subprocess.run(command, input="", capture_output=True, text=True, check=False)
    assert result.returncode == 1
    problem, last = result.stdout.splitlines()[-2:]
    assert problem.startswith("no parameters: this program is started by ELAN")
    assert last == "RESULT: FAILED."
    assert result.stderr == ""


def test_an_older_java_may_write_letters_in_another_encoding(new_elan, model, new_recording, tmp_path):
    elan = new_elan("old", ["-Dfile.encoding=ISO-8859-1"])
    entry = elan_extension.install(elan.extensions, "m", "ana/m", model).entries[2]
    recording = tmp_path / "ñ.wav"
    shutil.copy(new_recording, recording)
    assert elan.run(entry, source=recording, output_tiers=tmp_path / "result.xml").result == "done"


HEAVY = "numpy torch torchaudio datasets transformers onnxruntime soundfile av huggingface_hub yaml pympi".split()


def test_the_first_line_comes_before_anything_heavy_and_any_parameter(model):
    code = "import sys, u2u_hf.integrations.elan.recogniser; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "u2u_hf.integrations.elan.protocol" in loaded
    assert not set(HEAVY) & set(loaded)
    command = [sys.executable, "-m", "u2u_hf.integrations.elan.recogniser", "--task", "transcribe", "--model", model]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "PROGRESS: 0.00 starting\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 143


def test_an_unexpected_error_is_told_with_what_its_authors_need(model, recording, tmp_path):
    broken = tmp_path / "sitecustomize.py"
    broken.write_text("import u2u_hf.integrations.tasks as t\ndef run(*a): raise KeyError('what')\nt.run = run\n")
    parameters = f'<PARAM><param name="source">{recording}</param>'.replace("&", "&amp;")
    parameters += f'<param name="output_tiers">{tmp_path}/result.xml</param></PARAM>'
    command = [sys.executable, "-m", "u2u_hf.integrations.elan.recogniser", "--task", "find_speech", "--model", model]
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        command, input=parameters, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}, check=False
    )
    *before, problem, last = result.stdout.splitlines()
    assert last == "RESULT: FAILED."
    assert problem == "u2u-hf failed unexpectedly (KeyError): send the lines above to its authors"
    assert before[-1] == "note: KeyError: 'what'"
    assert json.dumps(before).count("note: Traceback") == 1
