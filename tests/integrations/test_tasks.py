"""Tasks as the menus of ELAN and Praat ask for them."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from u2u_hf.integrations.elan.help_page import help_page
from u2u_hf.integrations.praat import plugin
from u2u_hf.integrations.tasks import Request, Task, run
from u2u_hf.recognition import language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import Annotation, Tier, U2UError
from u2u_hf.transcription.segmentation import find_speech
from u2u_hf.transcription.transcribe import recognise_words, transcribe
from u2u_hf.transcription.voice_detection import VadSettings


@pytest.fixture(scope="module")
def recording(new_recording):
    return str(new_recording)


@pytest.fixture(scope="module")
def transcript(trained_model, recording):
    return run(Request(Task.TRANSCRIBE, recording, str(trained_model)))


def test_a_task_gives_what_the_recipe_gives(trained_model, recording, transcript):
    from u2u_hf.data.audio import audio_info

    recognizer = Recognizer(trained_model)
    found = find_speech(audio_info(recording), VadSettings())
    assert transcript == transcribe(recording, found, recognizer, recognise_words(recognizer.labels))


def test_the_language_model_of_the_folder_is_used(trained_model, recording, transcript, tmp_path):
    from u2u_hf.data.audio import audio_info

    model = tmp_path / "model"
    shutil.copytree(trained_model, model)
    learned = language_model.learn(["in cihuatl quichihua tlaxcalli", "axcan quitta in cihuatl cintli"] * 3)
    language_model.save(dataclasses.replace(learned, share=0.5, weight=1.5, bonus=1.0), model)
    found = run(Request(Task.TRANSCRIBE, recording, str(model)))
    recognizer = Recognizer(model)
    decode = recognise_words(recognizer.labels, language_model.load(str(model)))
    assert found == transcribe(recording, find_speech(audio_info(recording), VadSettings()), recognizer, decode)
    assert [s.text for s in found.segments] != [s.text for s in transcript.segments]


def test_progress_grows_to_the_end_and_tells_the_time_left(trained_model, recording):
    told = []
    run(Request(Task.TRANSCRIBE, recording, str(trained_model)), lambda share, doing: told.append((share, doing)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert told[0][1].startswith("finding speech, ")
    assert told[-1][1] == "transcribing, 0:00 left"


def test_found_speech_has_the_segments_of_the_transcript_without_text(recording, transcript):
    found = run(Request(Task.FIND_SPEECH, recording))
    times = [(s.channel, s.start_ms, s.end_ms) for s in transcript.segments]
    assert [(s.channel, s.start_ms, s.end_ms) for s in found.segments] == times
    assert {s.text for s in found.segments} == {""}


def test_the_first_channel_only_is_transcribed_as_a_mono_file_though_the_second_is_louder(trained_model, louder_second):
    both, alone = map(str, louder_second)
    for task in (Task.FIND_SPEECH, Task.TRANSCRIBE):
        found = run(Request(task, both, str(trained_model), all_channels=False))
        assert found.segments
        assert found.segments == run(Request(task, alone, str(trained_model))).segments


def test_the_segments_of_a_tier_are_recognised_and_its_text_aligned(trained_model, recording, transcript):
    said = [s for s in transcript.segments if s.channel == 0 and s.text]
    tier = Tier("Ana", tuple(Annotation(s.start_ms, s.end_ms, s.text) for s in said))
    heard = run(Request(Task.TRANSCRIBE, recording, str(trained_model), tier))
    assert [(s.start_ms, s.end_ms, s.text) for s in heard.segments] == [(s.start_ms, s.end_ms, s.text) for s in said]
    aligned = run(Request(Task.ALIGN, recording, str(trained_model), tier))
    assert [w.text for s in aligned.segments for w in s.words] == [w for s in said for w in s.text.split()]


def test_aligned_words_are_as_the_help_page_and_the_form_say(trained_model, recording):
    tier = Tier("Ana", (Annotation(1000, 4000, "Ka Ti, chi?"),))
    aligned = run(Request(Task.ALIGN, recording, str(trained_model), tier))
    assert [w.text for s in aligned.segments for w in s.words] == ["ka", "ti", "chi"]
    assert "in lower case and without punctuation" in help_page("ears")
    form = Path(plugin.__file__).with_name("align.praat").read_text(encoding="utf-8")
    assert "in lower case and without punctuation" in form


def test_nothing_to_align_is_said(trained_model, recording):
    with pytest.raises(U2UError, match="choose the tier that holds the transcripts"):
        run(Request(Task.ALIGN, recording, str(trained_model)))
    empty = Tier("Ana", (Annotation(0, 1000, " "),))
    with pytest.raises(U2UError, match="tier 'Ana' holds no text to align"):
        run(Request(Task.ALIGN, recording, str(trained_model), empty))
