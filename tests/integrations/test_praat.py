"""Praat's menu, with the real Praat: each task on a recording, errors, installation and removal."""

import os
import resource
import shutil
import signal
import time

import pytest
import soundfile
from support.praat import Praat, quoted

from u2u_hf.formats.textgrid import read_textgrid, write_textgrid
from u2u_hf.integrations.praat import recogniser as praat_recogniser
from u2u_hf.integrations.praat.plugin import install, installed
from u2u_hf.integrations.tasks import Request, Task, run
from u2u_hf.publishing.export import export
from u2u_hf.records import Annotation, Tier

NAME = "it's 'tier' mød\"el"  # 'tier' could be a variable of Praat's language


@pytest.fixture(scope="module")
def model(trained_model, tmp_path_factory):
    """The trained model, exported, in a folder whose name is hard to quote."""
    folder = tmp_path_factory.mktemp("my models") / NAME
    shutil.copytree(trained_model, folder)
    export(str(folder), folder)
    return folder


@pytest.fixture(scope="module")
def praat(model, recipe, tmp_path_factory):
    """A Praat with the plug-in of the model, which the recipe has put where it found that Praat."""
    praat = Praat(tmp_path_factory.mktemp("chez André"), tmp_path_factory.mktemp("scripts"))
    result = recipe("praat.py", "install", "--model", model, env=os.environ | praat.environment)
    assert result.returncode == 0, result.stderr
    assert f'click "{NAME}"' in result.stdout
    return praat


@pytest.fixture(scope="module")
def recording(demo_folder):
    return min((demo_folder / "new_recordings").glob("*.wav"))


@pytest.fixture(scope="module")
def written(model, recording, recipe, tmp_path_factory):
    """The TextGrid that transcribe.py writes for the recording."""
    folder = tmp_path_factory.mktemp("transcripts")
    result = recipe("transcribe.py", "--model", model, "--output_dir", folder, "--formats", "textgrid", recording)
    assert result.returncode == 0, result.stderr
    return folder / f"{recording.stem}.TextGrid"


@pytest.fixture
def plugin(praat):
    """The plug-in's folder; after the test no temporary file may be left in it."""
    [folder] = installed(praat.preferences)
    yield folder
    assert list((folder / "work").iterdir()) == []


def sound(recording):
    return f"sound = Read from file: {quoted(recording)}"


def long_sound(recording):
    return f"sound = Open long sound file: {quoted(recording)}"


def chosen(plugin, script, *arguments):
    """The line of Praat's language that does what clicking the command and OK in its form does."""
    return f"runScript: {quoted(plugin / script)}, " + ", ".join(arguments)


def saved(path):
    """Lines that save the selected TextGrid, which must stand beside its selected sound."""
    return [
        'textgrid = selected ("TextGrid")',
        "selectObject: textgrid",
        f"Save as text file: {quoted(path)}",
    ]


def annotations(path):
    return {tier.name: tier.annotations for tier in read_textgrid(path).tiers}


TEXTGRID = ['textgrid = Create TextGrid: 0, 1, "Ana", ""', "plusObject: sound"]


@pytest.mark.parametrize("with_textgrid", [False, True], ids=["alone", "with a TextGrid"])
@pytest.mark.parametrize("opened", [sound, long_sound])
def test_the_commands_are_in_the_menu(praat, plugin, recording, opened, with_textgrid):
    objects = [opened(recording), *(TEXTGRID if with_textgrid else [])]
    alone = {"Transcribe": "transcribe.praat", "Find speech": "find_speech.praat"}
    with_tiers = {"Transcribe intervals": "transcribe_tier.praat", "Align": "align.praat"}
    for title, script in (with_tiers if with_textgrid else alone).items():
        assert praat.command(objects, f"{title} ({NAME})") == plugin / script


@pytest.mark.parametrize("opened", [sound, long_sound])
def test_transcribe_gives_what_transcribe_py_writes(praat, plugin, recording, written, tmp_path, opened):
    told = "appendInfoLine: numberOfSelected (), selected$ (1), selected$ (2)"
    transcribed = opened(recording), chosen(plugin, "transcribe.praat", "0.5", '"yes"')
    said = praat.said(*transcribed, told, *saved(tmp_path / "t.TextGrid"))
    kind = "Sound" if opened is sound else "LongSound"
    assert f"2{kind} {recording.stem}TextGrid {recording.stem}" in said
    rows = praat.rows(written)
    assert sum(bool(text) for _, _, text, _ in rows) > 20
    assert {tier for tier, *_ in rows} == {f"channel {n}{what}" for n in (1, 2) for what in ("", " words", " unsure")}
    assert praat.rows(tmp_path / "t.TextGrid") == rows


def test_the_times_of_a_sound_that_begins_later_are_its_own(praat, plugin, recording, tmp_path):
    praat.said(
        sound(recording),
        chosen(plugin, "transcribe.praat", "0.5", '"no"'),
        *saved(tmp_path / "early.TextGrid"),
        "selectObject: sound",
        'Shift times to: "start time", 100',
        chosen(plugin, "transcribe.praat", "0.5", '"no"'),
        *saved(tmp_path / "late.TextGrid"),
        "plusObject: sound",
        chosen(plugin, "align.praat", "1"),
        *saved(tmp_path / "aligned.TextGrid"),
    )
    heard, late = (annotations(tmp_path / f"{name}.TextGrid")["channel 1"] for name in ("early", "late"))
    assert [(a.start_ms + 100_000, a.end_ms + 100_000, a.value) for a in heard] == [
        (a.start_ms, a.end_ms, a.value) for a in late
    ]
    aligned = annotations(tmp_path / "aligned.TextGrid")
    assert aligned["channel 1 transcript"] == tuple(a for a in late if a.value)


def test_the_intervals_of_a_tier_are_transcribed_and_its_words_aligned(praat, plugin, model, recording, tmp_path):
    # The second tier, with letters that Praat writes in UTF-16, and an interval without text, which is silence.
    tier = Tier(
        "Añá", (Annotation(500, 3600, "ŋx"), Annotation(3600, 4000, "y"), Annotation(11_900, 16_100, "mochi tla"))
    )
    write_textgrid(tmp_path / "own.TextGrid", [Tier("other", (Annotation(0, 9, "z"),)), tier], 19_057)
    opened = long_sound(recording), f"own = Read from file: {quoted(tmp_path / 'own.TextGrid')}", "plusObject: sound"
    praat.said(
        *opened,
        chosen(plugin, "transcribe_tier.praat", "2"),
        *saved(tmp_path / "heard.TextGrid"),
        "selectObject: sound, own",
        chosen(plugin, "align.praat", "2"),
        *saved(tmp_path / "aligned.TextGrid"),
    )
    for name, task in {"heard": Task.TRANSCRIBE, "aligned": Task.ALIGN}.items():
        found = annotations(tmp_path / f"{name}.TextGrid")
        expected = run(Request(task, str(recording), str(model), tier)).segments
        assert [(s.start_ms, s.end_ms) for s in expected] == [(a.start_ms, a.end_ms) for a in tier.annotations]
        texts = tuple(Annotation(s.start_ms, s.end_ms, s.text) for s in expected if s.text)
        assert found["Añá transcript"] == texts
        words = [(w.text, w.start_ms, w.end_ms) for s in expected for w in s.words]
        assert [(a.value, a.start_ms, a.end_ms) for a in found["Añá transcript words"]] == words
    assert [word for word, *_ in words][-2:] == ["mochi", "tla"]


def test_found_speech_is_marked(praat, plugin, recording, written, tmp_path):
    praat.said(
        sound(recording),
        chosen(plugin, "find_speech.praat", "0.5", '"yes"'),
        *saved(tmp_path / "both.TextGrid"),
        "selectObject: sound",
        chosen(plugin, "find_speech.praat", "0.5", '"no"'),
        *saved(tmp_path / "first.TextGrid"),
    )
    heard, both = annotations(written), annotations(tmp_path / "both.TextGrid")
    assert set(both) == {"channel 1", "channel 2"}
    for channel, found in both.items():
        assert {a.value for a in found} == {"speech"}
        assert {(a.start_ms, a.end_ms) for a in found} >= {(a.start_ms, a.end_ms) for a in heard[channel]}
    samples, rate = soundfile.read(recording, always_2d=True)
    soundfile.write(tmp_path / "alone.wav", samples[:, 0], rate)
    alone = run(Request(Task.FIND_SPEECH, str(tmp_path / "alone.wav"))).segments
    first = tuple(Annotation(s.start_ms, s.end_ms, "speech") for s in alone)
    assert annotations(tmp_path / "first.TextGrid") == {"channel 1": first}


def test_several_sounds_get_a_textgrid_each(praat, plugin, recording):
    said = praat.said(
        sound(recording),
        'Extract part: 0, 4, "rectangular", 1, "no"',
        'Rename: "part"',
        "plusObject: sound",
        chosen(plugin, "find_speech.praat", "0.5", '"yes"'),
        "for i to numberOfSelected ()",
        "appendInfoLine: selected$ (i)",
        "endfor",
        'part = selected ("TextGrid", 2)',
        "selectObject: part",
        "end = Get end time",
        "appendInfoLine: end",
    )
    names = [f"{kind} {name}" for kind in ("Sound", "TextGrid") for name in (recording.stem, "part")]
    assert said.splitlines()[-5:] == [*names, "4"]


ERRORS = {
    "threshold": ([], "transcribe.praat", ["2", '"yes"'], "speech threshold 2: give a number between 0 and 1"),
    "no tier": (TEXTGRID, "align.praat", ["3"], "There is no tier 3: the TextGrid has 1."),
    "points": (
        ['textgrid = Create TextGrid: 0, 1, "Ana", "Ana"', "plusObject: sound"],
        "transcribe_tier.praat",
        ["1"],
        "Tier 1 has points: choose a tier with intervals.",
    ),
    "no text": (TEXTGRID, "align.praat", ["1"], "Sound {recording}: tier 'Ana' holds no text to align"),
}


@pytest.mark.parametrize("error", ERRORS)
def test_errors_are_shown_in_plain_words(praat, plugin, recording, error):
    objects, script, settings, message = ERRORS[error]
    shown = praat.problem(sound(recording), *objects, chosen(plugin, script, *settings))
    assert shown.startswith(message.format(recording=recording.stem))
    assert "plugin_" not in shown


def test_a_recording_that_is_gone_is_named(praat, plugin, recording, tmp_path):
    shutil.copy(recording, tmp_path / "gone.wav")
    lines = long_sound(tmp_path / "gone.wav"), f"deleteFile: {quoted(tmp_path / 'gone.wav')}"
    shown = praat.problem(*lines, chosen(plugin, "find_speech.praat", "0.5", '"yes"'))
    assert shown.startswith("LongSound gone: ")


def test_a_model_or_python_that_is_gone_is_named(praat, model, recording, tmp_path, monkeypatch):
    folder, python = tmp_path / "moved", tmp_path / "python"
    shutil.copytree(model, folder)
    python.touch()
    monkeypatch.setattr("sys.executable", str(python))
    plugin = install(tmp_path, str(folder), folder)
    assert installed(tmp_path)[plugin].problem == ""
    python.unlink()
    assert installed(tmp_path)[plugin].problem == f"{python} is not there any more: install again"
    shown = praat.problem(sound(recording), chosen(plugin, "transcribe.praat", "0.5", '"yes"'))
    assert shown.startswith("The recogniser did not start or was stopped.")
    assert list((plugin / "work").iterdir()) == []
    shutil.rmtree(folder)
    assert told(tmp_path, "--task", "transcribe", "--model", folder, "--audio", recording) == (
        f"{folder}: the model is not there any more: install the menu again with the model's new folder"
    )


def told(folder, *arguments):
    """What the recogniser writes for Praat to show."""
    problem = folder / "problem.txt"
    files = "--output", folder / "o.TextGrid", "--problem", problem, "--note", folder / "note.txt"
    assert praat_recogniser.main([str(word) for word in (*arguments, *files)]) == 0
    return problem.read_text(encoding="utf-8") if problem.exists() else ""


def test_an_unexpected_error_is_told_whole(recording, tmp_path, monkeypatch):
    def fails(*_):
        raise ValueError("x is not y")

    monkeypatch.setattr("u2u_hf.integrations.tasks.run", fails)
    shown = told(tmp_path, "--task", "find_speech", "--model", "", "--audio", recording)
    assert shown.startswith(f"{recording}: unexpected error, please report it:\n")
    assert "in fails" in shown
    assert "ValueError: x is not y" in shown


def test_what_an_ended_praat_left_behind_is_removed(recording, tmp_path):
    work = install(tmp_path, "ana/ears", tmp_path) / "work"
    for folder in (work, tmp_path):
        for name, age_s in {"old.wav": 25 * 3600, "young.wav": 23 * 3600}.items():
            (folder / name).touch()
            os.utime(folder / name, (time.time() - age_s,) * 2)
        assert told(folder, "--task", "find_speech", "--model", "", "--audio", recording) == ""
    assert {path.name for path in work.iterdir()} == {"young.wav", "o.TextGrid"}
    assert (tmp_path / "old.wav").exists()  # not a plug-in's folder


def test_a_full_disk_is_noticed_before_a_cut_off_recording_is_transcribed(praat, plugin, recording):
    def full():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    find = chosen(plugin, "find_speech.praat", "0.5", '"yes"')
    limited = {"preexec_fn": full, "restore_signals": False}
    shown = praat.problem(sound(recording), find, **limited)
    assert shown.startswith(f"Sound {recording.stem}: ")
    assert "is the disk full?" in shown
    assert "done." in praat.said(long_sound(recording), find, **limited)  # is read where it is, not copied
