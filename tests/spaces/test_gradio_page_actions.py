"""What the Gradio page's actions do, called as Gradio calls them."""

import dataclasses
from types import SimpleNamespace

import av
import gradio
import numpy as np
import pytest
import soundfile
from actions import Actions
from conftest import write_with_ffmpeg
from correction_table import COLUMNS
from results import after_correction
from strings import STRINGS, say_in

from u2u_hf.publishing.space_settings import SpaceVariables
from u2u_hf.recognition import language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import Segment, Transcript

ENGLISH = SimpleNamespace(headers={"accept-language": "en-US"}, session_hash="a session")
SPANISH = SimpleNamespace(headers={"accept-language": "es-MX"}, session_hash="a session")
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


def a_result(path="a.wav"):
    transcript = Transcript(str(path), 5000, 2, (Segment(0, 0, 1000, "ba", 1.0), Segment(0, 2000, 3000, "bo", 1.0)))
    table = [["0:00.000", "0:01.000", "1", "ba", "100%"], ["0:02.000", "0:03.000", "1", "bo", "100%"]]
    return {"transcript": transcript, "level": None, "rows": table, "before": []}


def changed(table, row, column, cell):
    """The table as Gradio sends it: a new list with one other cell."""
    return [[cell if (r, c) == (row, column) else old for c, old in enumerate(cells)] for r, cells in enumerate(table)]


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
    table = changed(results[0]["rows"], 0, 3, "corrected")
    results, *_ = actions.edit(results, 0, table, ENGLISH)
    status, results, chosen, number, *_ = run(actions, results, recording)
    name = results[0]["transcript"].audio.rsplit("/", 1)[-1]
    assert chosen.choices == [(name, 0), (f"{name} (2)", 1)]
    assert (chosen.value, number, chosen.visible) == (1, 1, True)
    assert status.endswith(STRINGS["en"]["kept"])
    assert results[0]["rows"] == table
    _, results, chosen, *_ = run(actions, results, recording)  # the second was not corrected
    assert chosen.choices == [(name, 0), (f"{name} (3)", 2)]
    shown = actions.show(results, 0, ENGLISH)
    assert (shown[0], shown[2].value["data"]) == (0, table)


def test_a_correction_that_arrives_during_a_transcription_reaches_its_own_transcript(actions, recording):
    _, results, *_ = run(actions, [], recording)
    seen_by_edit = results
    run(actions, results, recording)
    kept, *_ = actions.edit(seen_by_edit, 0, changed(results[0]["rows"], 0, 3, "corrected"), ENGLISH)
    assert [result["rows"][0][3] == "corrected" for result in kept] == [True, False]


def test_a_failed_or_cancelled_transcription_changes_nothing_but_the_status(actions, tmp_path):
    (tmp_path / "notes.wav").write_text("these are notes")
    results = [a_result()]
    status, *others = run(actions, results, tmp_path / "notes.wav")
    assert status.startswith("⚠ notes.wav: not a sound file")
    assert len(others) == 9
    assert all(other == gradio.skip() for other in others)
    actions.wait(ENGLISH)
    actions.cancel(ENGLISH)
    status, *others = run(actions, results, tmp_path / "notes.wav")
    assert status == "Cancelled."
    assert all(other == gradio.skip() for other in others)
    assert results == [a_result()]


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
    assert found["level"][:, -10:].max() > 0.3
    assert found["level"][:, :10].max() > 0.3


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


def test_corrections_are_undone_one_after_the_other(actions):
    results, first = [a_result()], a_result()["rows"]
    erased = changed(first, 0, 3, "")
    actions.edit(results, 0, erased, ENGLISH)
    _, undo, *_ = actions.edit(results, 0, erased, ENGLISH)  # the table comes again when a cell is left
    assert undo.interactive
    without = erased[1:]
    actions.edit(results, 0, without, ENGLISH)
    _, table, undo, _, files = actions.undo(results, 0, ENGLISH)
    assert (table.value["data"], undo.interactive) == (erased, True)
    _, table, undo, _, files = actions.undo(results, 0, ENGLISH)
    assert (table.value["data"], undo.interactive) == (first, False)
    assert files.visible
    _, table, *_ = actions.undo(results, 0, ENGLISH)  # nothing is left to undo
    assert table.value["data"] == first


def test_a_correction_of_what_the_server_forgot_is_refused_with_the_reason(actions):
    for act in (lambda: actions.edit([], 0, a_result()["rows"], SPANISH), lambda: actions.undo([], None, SPANISH)):
        with pytest.raises(gradio.Error, match="El servidor se reinició o perdió esta transcripción"):
            act()
    assert actions.renew([], 0, SPANISH) == gradio.skip()
    assert actions.renew([a_result()], 0, SPANISH).visible


def test_a_wrong_cell_hides_the_files_and_drops_no_correction(actions):
    results = [a_result()]
    wrong = changed(results[0]["rows"], 0, 1, "soon")
    (kept,), _, message, files = actions.edit(results, 0, wrong, ENGLISH)
    assert (kept["rows"], files.visible, message.visible) == (wrong, False, True)
    assert message.value.startswith("⚠ Row 1, column “end”: “soon” is not a time")
    right = changed(wrong, 0, 1, "0:01.5")
    (kept,), _, message, files = actions.edit(results, 0, right, ENGLISH)
    assert (kept["rows"], files.visible, message.visible) == (right, True, False)


@pytest.mark.parametrize("language", STRINGS)
@pytest.mark.parametrize(
    ("column", "cell"),
    [(0, "x" * 400), (1, "9" * 400), (0, "-1"), (1, "0:02"), (2, "1" * 5000), (2, "0"), (2, "<b>"), (0, "0:00.999")],
)
def test_a_wrong_cell_is_named_in_the_visitors_language(language, column, cell):
    result = a_result()
    result["rows"] = changed(result["rows"], 1, column, cell)
    say = say_in(language)
    _, message, files = after_correction(result, say)
    where = {"en": "⚠ Row 2, column “{}”: ", "es": "⚠ Fila 2, columna «{}»: "}[language]
    assert message.value.startswith(where.format(say(COLUMNS[column])))
    assert len(message.value) < 200
    assert "<" not in message.value
    assert not files.visible


def test_rows_that_overlap_are_both_named():
    result = a_result()
    result["rows"] = [*reversed(result["rows"]), ["0:00.500", "0:01.500", "2", "x", ""]]  # the other channel may
    assert after_correction(result, say_in("en"))[-1].visible
    result["rows"] = changed(result["rows"], 2, 2, "1")
    message = after_correction(result, say_in("en"))[1].value
    assert message.startswith("⚠ Row 3, column “start”: is before the end of row 2, 0:01.000")


def test_files_that_cannot_be_written_are_one_line(tmp_path, monkeypatch, uploads):
    result = a_result(tmp_path / ("ñ" * 126 + ".wav"))  # with a suffix for each format longer than a name may be
    _, message, files = after_correction(result, say_in("en"))
    assert "cannot be written" in message.value
    assert str(uploads) not in message.value
    assert not files.visible
    assert not list(uploads.iterdir())
    (tmp_path / "file").touch()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "file" / "under it"))
    _, message, files = after_correction(a_result(), say_in("en"))
    assert "cannot be written (Not a directory)" in message.value
    assert not files.visible
