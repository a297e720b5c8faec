"""What the Gradio page's actions do, called as Gradio calls them."""

import dataclasses
import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import av
import gradio
import numpy as np
import pytest
import soundfile
from actions import Actions
from conftest import write_with_ffmpeg
from results import downloads, editor_value
from strings import STRINGS, say_in

from u2u_hf.formats.eaf import read_eaf
from u2u_hf.publishing.space_settings import SpaceVariables
from u2u_hf.recognition import language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import Segment, Transcript, Word

ENGLISH = SimpleNamespace(headers={"accept-language": "en-US"}, query_params={}, session_hash="a session")
SPANISH = SimpleNamespace(headers={"accept-language": "es-MX"}, query_params={}, session_hash="a session")
OPTIONS = (0.5, 20, True, False)


@pytest.fixture(scope="module")
def actions(random_model):
    return Actions(Recognizer(random_model), None, SpaceVariables(model="m"))


@pytest.fixture(autouse=True)
def uploads(tmp_path, monkeypatch):
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


@pytest.fixture
def recording(new_recording):
    return str(new_recording)


def run(actions, results, *paths, request=ENGLISH):
    """Transcribe → status, results, the list of recordings, and what is shown."""
    return actions.run([str(path) for path in paths], None, *OPTIONS, results, request, gradio.Progress())


def test_the_first_channel_only_is_transcribed_as_a_mono_file_though_the_second_is_louder(actions, louder_second):
    found = []
    for path, all_channels in zip(louder_second, (False, True), strict=True):
        options = (*OPTIONS[:2], all_channels, OPTIONS[3])
        _, results, *_ = actions.run([str(path)], None, *options, [], ENGLISH, gradio.Progress())
        found.append(results[0]["transcript"].segments)
    assert found[0]
    assert found[0] == found[1]


def a_result(path="a.wav", name="first"):
    segments = (Segment(0, 0, 1000, "ba", 0.5, (Word("ba", 100, 900, 0.5),)), Segment(0, 2000, 3000, "bo", 1.0))
    transcript = Transcript(str(path), 5000, 2, segments)
    return {"id": name, "transcript": transcript, "corrected": transcript, "level": np.zeros((2, 4), np.uint8)}


def sent(result, *segments):
    """What the page sends: the id of a result and its segments."""
    return json.dumps({"id": result["id"], "segments": segments})


def texts(result):
    return [segment.text for segment in result["corrected"].segments]


WRITTEN = {"channel": 0, "start_ms": 0, "end_ms": 900, "text": "corrected", "confidence": 1, "words": []}


def test_the_language_model_is_used_if_the_visitor_wants_it(random_model, recording):
    """It expects a word that a model of random weights does not hear."""
    learned = language_model.learn(["ba ba ba"] * 3)
    own = dataclasses.replace(learned, share=0.5, weight=30.0, bonus=10.0)
    actions = Actions(Recognizer(random_model), own, SpaceVariables(model="m"))
    words = []
    for wanted in (False, True):
        _, results, *_ = actions.run([recording], None, *OPTIONS[:-1], wanted, [], ENGLISH, gradio.Progress())
        words.append({word for segment in results[0]["transcript"].segments for word in segment.text.split()})
    assert words[1] != words[0]


def test_a_second_transcription_keeps_what_was_corrected(actions, recording):
    _, results, *_ = run(actions, [], recording)
    results, *_ = actions.correct(results, sent(results[0], WRITTEN), ENGLISH)
    status, results, chosen, number, *_ = run(actions, results, recording)
    name = results[0]["transcript"].audio.rsplit("/", 1)[-1]
    assert chosen.choices == [(name, 0), (f"{name} (2)", 1)]
    assert (chosen.value, number, chosen.visible) == (1, 1, True)
    assert status.endswith(STRINGS["en"]["kept"])
    assert texts(results[0]) == ["corrected"]
    _, results, chosen, *_ = run(actions, results, recording)  # the second was not corrected
    assert chosen.choices == [(name, 0), (f"{name} (3)", 2)]
    number, opened, *_ = actions.show(results, 0, ENGLISH)
    assert (number, json.loads(opened)["id"]) == (0, results[0]["id"])


def test_a_correction_that_arrives_during_a_transcription_reaches_its_own_transcript(actions, recording):
    _, results, *_ = run(actions, [], recording)
    seen_by_correct = results
    run(actions, results, recording)
    kept, *_ = actions.correct(seen_by_correct, sent(results[0], WRITTEN), ENGLISH)
    assert [texts(result) == ["corrected"] for result in kept] == [True, False]


def test_a_failed_or_cancelled_transcription_changes_nothing_but_the_status(actions, tmp_path):
    (tmp_path / "notes.wav").write_text("these are notes")
    results, before = [a_result()], a_result()
    status, *others = run(actions, results, tmp_path / "notes.wav")
    assert status.startswith("⚠ notes.wav: not a sound file")
    assert len(others) == 7
    assert all(other == gradio.skip() for other in others)
    actions.wait(ENGLISH)
    actions.cancel(ENGLISH)
    status, *others = run(actions, results, tmp_path / "notes.wav")
    assert status == "Cancelled."
    assert all(other == gradio.skip() for other in others)
    (after,) = results
    assert (after["transcript"], after["corrected"]) == (before["transcript"], before["corrected"])


def stopped_recorder(path, signal):
    """A WAV file whose header was last written after the first second."""
    soundfile.write(path, signal.T, 16_000)
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = (2 * len(signal) * 16_000).to_bytes(4, "little")
    path.write_bytes(content)


def piped(path, signal):
    """A FLAC file that an encoder wrote without knowing its length: the last 36 bits before the checksum are 0."""
    soundfile.write(path, signal.T, 16_000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)


def camera(path, signal):
    """A film with a mono track for each microphone."""
    with av.open(path, "w") as media:
        tracks = [media.add_stream("pcm_s16le", rate=16_000, layout="mono") for _ in signal]
        for track, row in zip(tracks, signal, strict=True):
            frame = av.AudioFrame.from_ndarray((row[None] * 32767).astype(np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 16_000, 0
            media.mux([*track.encode(frame), *track.encode(None)])


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("recorder.wav", stopped_recorder),
        ("piped.flac", piped),
        ("camera.mov", camera),
        ("phone.aac", lambda path, signal: write_with_ffmpeg(path, "aac", signal, 16_000)),
        ("phone.m4a", lambda path, signal: write_with_ffmpeg(path, "aac", signal, 16_000)),
        ("film.mkv", lambda path, signal: write_with_ffmpeg(path, "libopus", signal, 48_000)),
        ("odd.wav", lambda path, signal: soundfile.write(path, signal.T, 15_999)),
    ],
)
def test_recordings_of_many_kinds_are_heard_to_the_end(actions, tmp_path, name, write):
    signal = np.random.default_rng(0).normal(0, 0.05, (2, 48_000)).clip(-1, 1).astype(np.float32)
    write(tmp_path / name, signal)
    status, (found,), *_ = run(actions, [], tmp_path / name)
    assert status.startswith(f"{name}: ")
    assert found["level"].shape[0] == found["transcript"].channels == 2
    seconds = 1.0 if name == "film.mkv" else 3.0
    assert found["transcript"].duration_ms == pytest.approx(seconds * 1000, abs=150)  # a coder adds its padding
    assert found["level"][:, -10:].max() > 76
    assert found["level"][:, :10].max() > 76


@pytest.mark.parametrize(
    ("request_", "message"), [(ENGLISH, "upload it again"), (SPANISH, "después de una hora: súbala otra vez")]
)
def test_an_expired_upload_is_named_and_the_next_is_transcribed(actions, recording, tmp_path, request_, message):
    status, results, *_ = run(actions, [], tmp_path / "gone.wav", recording, request=request_)
    said = status.split("\n\n")
    assert said[0].startswith("⚠ gone.wav: ")
    assert said[0].endswith(message)
    assert len(said) == 2
    assert len(results) == 1


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (MemoryError(), "there is not enough memory"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (ZeroDivisionError("x"), "ZeroDivisionError"),
    ],
)
def test_what_a_library_raises_is_one_line_and_the_next_is_transcribed(random_model, recording, tmp_path, raised, said):
    class Broken(Recognizer):
        breaks = False

        def log_probs(self, samples):
            if self.breaks:
                raise raised
            return super().log_probs(samples)

    recognizer = Broken(random_model)
    recognizer.breaks = True
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    broken = Actions(recognizer, None, SpaceVariables(model="m"))
    status, results, *_ = run(broken, [], recording, tmp_path / "silent.wav")
    assert status.startswith(f"⚠ {recording.rsplit('/', 1)[-1]}: {said}")
    assert len(status.split("\n\n")) == 2
    assert [len(result["transcript"].segments) for result in results] == [0]


def test_when_zerogpu_lends_no_more_what_was_transcribed_stays(random_model, tmp_path, monkeypatch):
    def lend_once(duration):
        def lend(function):
            left = iter([function])

            def borrow(*arguments):
                if not (lent := next(left, None)):
                    raise gradio.Error("You have used your GPU time", title="Quota")
                return lent(*arguments)

            return borrow

        return lend

    monkeypatch.setattr("actions.GPU", lend_once)
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, np.zeros(16_000), 16_000)
    borrowing = Actions(Recognizer(random_model), None, SpaceVariables(model="m"))
    status, results, *_ = run(borrowing, [], tmp_path / "a.wav", tmp_path / "b.wav")
    assert status.endswith("⚠ b.wav: You have used your GPU time")
    assert len(results) == 1


def test_the_editor_is_opened_with_the_transcript(actions):
    opened = json.loads(editor_value(a_result("/somewhere/a b.wav"), "es"))
    assert opened == {
        "id": "first",
        "name": "a b.wav",
        "language": "es",
        "sound": "gradio_api/file=/somewhere/a b.wav",
        "duration_ms": 5000,
        "channels": 2,
        "unsure_below": 0.95,
        "segments": [
            {"channel": 0, "start_ms": 0, "end_ms": 1000, "text": "ba", "confidence": 0.5,
             "words": [{"text": "ba", "start_ms": 100, "end_ms": 900, "confidence": 0.5}]},
            {"channel": 0, "start_ms": 2000, "end_ms": 3000, "text": "bo", "confidence": 1.0, "words": []},
        ],
        "peaks": ["AAAAAA==", "AAAAAA=="],
    }  # fmt: skip


def test_a_correction_replaces_the_one_before_and_keeps_what_it_does_not_name(actions):
    results = [a_result() | {"shown": True}, a_result(name="second")]
    (kept, other), button, wrong, files = actions.correct(results, sent(results[0], WRITTEN, 1), ENGLISH)
    assert texts(kept) == ["corrected", "bo"]
    assert kept["corrected"].segments[1] is kept["transcript"].segments[1]
    assert texts(other) == ["ba", "bo"]
    assert (button.visible, wrong.visible, files.visible) == (True, False, True)
    actions.correct(results, sent(results[0], 0, 1), ENGLISH)  # undone in the editor
    assert kept["corrected"] == kept["transcript"]


def test_a_correction_of_a_recording_that_is_not_shown_leaves_the_downloads(actions):
    results = [a_result(), a_result(name="second")]
    actions.show(results, 1, ENGLISH)  # overtook the correction
    kept, *others = actions.correct(results, sent(results[0], WRITTEN), ENGLISH)
    assert texts(kept[0]) == ["corrected"]
    assert all(other == gradio.skip() for other in others)
    assert actions.correct(results, "", ENGLISH) == gradio.skip()  # nothing was corrected
    _, button, *_ = actions.correct(results, sent(results[1], WRITTEN), ENGLISH)
    assert button.visible


def test_a_correction_of_what_the_server_forgot_is_refused_with_the_reason(actions):
    """Also if another visitor's or a newer transcript has its number."""
    for results in ([], [a_result(name="new")]):
        with pytest.raises(gradio.Error, match="El servidor se reinició o perdió esta transcripción"):
            actions.correct(results, sent(a_result()), SPANISH)
    with pytest.raises(gradio.Error, match="El servidor se reinició o perdió esta transcripción"):
        actions.show([], 0, SPANISH)
    with pytest.raises(gradio.Error, match="El servidor se reinició o perdió esta transcripción"):
        actions.tell(SPANISH)
    with pytest.raises(gradio.Error, match="El servidor no respondió"):
        actions.tell(SPANISH)  # nothing was refused
    assert all(update == gradio.skip() for update in actions.renew([], 0, SPANISH))
    assert all(update.visible for update in actions.renew([a_result()], 0, SPANISH)[::2])


@pytest.mark.parametrize("language", STRINGS)
def test_a_correction_that_no_editor_sends_changes_nothing(actions, language):
    results = [a_result()]
    request = SimpleNamespace(headers={"accept-language": language}, query_params={}, session_hash="a session")
    overlapping = WRITTEN | {"end_ms": 2500}
    for text, problem in [
        ("[", "not what the editor sends"),
        (sent(results[0], WRITTEN | {"end_ms": 5001}), "segment 1, end: must be a whole number from 1 to 5000"),
        (sent(results[0], overlapping, 1), "segments of channel 1 overlap at 2000 ms"),
    ]:
        with pytest.raises(gradio.Error) as error:
            actions.correct(results, text, request)
        assert error.value.message == STRINGS[language]["refused"].format(problem=problem)
    assert texts(results[0]) == ["ba", "bo"]


def test_the_files_lie_beside_the_recording(elan_schema):
    result = a_result("/somewhere/a b.wav")
    button, _, shown = downloads(result, say_in("en"))
    files = [Path(file["path"]) for file in shown.value]
    assert [path.name for path in files] == ["a b.eaf", "a b.TextGrid", "a b.srt", "a b.tsv", "a b.zip"]
    assert Path(button.value["path"]).name == "a b.eaf"
    elan_schema(files[0])
    document = read_eaf(files[0])
    assert document.media[0].urls[-1] == "./a b.wav"
    assert [a.value for a in document.tiers[0].annotations] == ["ba", "bo"]
    assert "somewhere" not in "".join(path.read_text(encoding="utf-8") for path in files[:4])
    with zipfile.ZipFile(files[4]) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [path.read_bytes() for path in files[:4]]


def test_files_that_cannot_be_written_are_one_line(tmp_path, monkeypatch, uploads):
    result = a_result(tmp_path / ("ñ" * 126 + ".wav"))  # with a suffix for each format longer than a name may be
    button, message, files = downloads(result, say_in("en"))
    assert "cannot be written" in message.value
    assert str(uploads) not in message.value
    assert not button.visible
    assert not files.visible
    assert not list(uploads.iterdir())
    (tmp_path / "file").touch()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "file" / "under it"))
    _, message, files = downloads(a_result(), say_in("en"))
    assert "cannot be written (Not a directory)" in message.value
    assert not files.visible
