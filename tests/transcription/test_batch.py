import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import RECIPES

from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.formats.eaf_edit import add_tiers
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import QUEUE_TYPE, SEGMENT_TYPE, Annotation, Segment, Skipped, Tier, Transcript, U2UError
from u2u_hf.transcription import batch
from u2u_hf.transcription.batch import Outcome, next_steps, outcome_lines, summary, transcribe_all, write_queue
from u2u_hf.transcription.jobs import TranscriptionSettings, find_jobs
from u2u_hf.transcription.voice_detection import VadSettings
from u2u_hf.written_files import WRITTEN


@pytest.fixture(scope="module")
def recognizer(random_model):
    return Recognizer(random_model)


@pytest.fixture
def run(recognizer, tmp_path):
    """Transcribe what is named into OUT, as the recipe does → what was skipped, outcomes."""

    def transcribed(*recordings, **settings):
        given = TranscriptionSettings(
            recordings=list(map(str, recordings)), output_dir=str(tmp_path / "out"), **settings
        )
        jobs, skipped = find_jobs(given)
        return skipped, transcribe_all(jobs, recognizer, VadSettings(), given)

    return transcribed


@pytest.fixture
def corpus(demo_folder, tmp_path):
    """Two recordings of the demo with their ELAN files."""
    folder = tmp_path / "corpus"
    for name in ("nci_story_01", "nci_story_02"):
        for path in (demo_folder / "corpus").rglob(f"{name}*"):
            folder.mkdir(exist_ok=True)
            shutil.copy(path, folder)
    return folder


def test_an_output_folder_that_cannot_be_written_is_named_before_the_work(run, demo_folder, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(U2UError, match=r"out: cannot be made .*choose another --output_dir"):
        run(demo_folder / "new_recordings")


def test_a_recording_for_which_the_memory_is_too_small_stops_no_other(run, monkeypatch, tmp_path):
    def read(file, *arguments, **settings):
        if "long" in file.name:
            raise MemoryError
        return whole(file, *arguments, **settings)

    whole = soundfile.SoundFile.read
    for name in ("long.wav", "short.wav"):
        soundfile.write(tmp_path / name, np.zeros(16_000), 16_000)
    monkeypatch.setattr(soundfile.SoundFile, "read", read)
    _, (long, short) = run(tmp_path / "long.wav", tmp_path / "short.wav")
    assert long.problem.startswith(f"{tmp_path / 'long.wav'}: there is not enough memory: close other programs")
    assert not short.problem


def test_windows_hear_what_detection_takes_for_no_speech(run, tmp_path):
    # Noise that comes and goes: no speech to Silero, but this recogniser writes something into any sound.
    noise = np.random.default_rng(0).normal(0, 0.1, 4 * 16_000) * np.repeat([0, 1, 0, 1], 16_000)
    soundfile.write(tmp_path / "whistled.wav", noise, 16_000)
    (detected,) = run(tmp_path / "whistled.wav")[1]
    (windows,) = run(tmp_path / "whistled.wav", windows=True, overwrite=True)[1]
    assert detected.summary == "no speech found"
    assert "% speech" in windows.summary
    assert read_eaf(windows.files[0]).tiers[0].annotations


def test_bad_recordings_do_not_stop_the_rest_and_what_is_done_stays(demo_folder, run, tmp_path):
    folder = tmp_path / "recordings" / "sub"
    folder.mkdir(parents=True)
    good = next((demo_folder / "new_recordings").glob("*.wav"))
    shutil.copy(good, folder / "good.wav")
    (folder / "broken.wav").write_bytes(b"RIFF")
    (folder / "empty.wav").touch()
    (folder / "no_sound.flac").write_text("these are notes")
    soundfile.write(folder / "no_samples.wav", np.zeros(0), 16_000)
    soundfile.write(folder / "whole.flac", np.random.default_rng(0).normal(0, 0.1, 480_000), 48_000)
    (folder / "truncated.flac").write_bytes((folder / "whole.flac").read_bytes()[:200_000])
    (folder / "whole.flac").unlink()
    outcomes = {os.path.basename(o.audio): o for o in run(tmp_path / "recordings")[1]}
    assert "broken.wav: not a sound file" in outcomes["broken.wav"].problem
    assert "empty.wav: not a sound file" in outcomes["empty.wav"].problem
    assert "no_sound.flac: not a sound file" in outcomes["no_sound.flac"].problem
    assert "no_samples.wav: holds no sound" in outcomes["no_samples.wav"].problem
    assert "truncated.flac: cannot be read at" in outcomes["truncated.flac"].problem
    assert sorted(p.name for p in (tmp_path / "out").rglob("*") if p.is_file()) == [WRITTEN, "good.eaf"]
    assert outcome_lines([], list(outcomes.values())).count("! skipped") == 5
    written = tmp_path / "out" / "sub" / "good.eaf"
    before = written.read_bytes()

    def again(**settings):
        return next(o for o in run(tmp_path / "recordings", **settings)[1] if o.audio.endswith("good.wav"))

    assert again().summary == "exists already, not changed"
    written.write_bytes(before + b"<!-- corrected -->")
    outcome = again(formats="eaf,srt")
    assert outcome.summary.endswith("; good.eaf exists already, not changed")
    assert [os.path.basename(file) for file in outcome.files] == ["good.eaf", "good.srt"]
    assert written.with_suffix(".srt").exists()
    assert written.read_bytes() == before + b"<!-- corrected -->"
    assert again(overwrite=True).problem == ""
    assert b"<!-- corrected" not in written.read_bytes()


def test_names_cannot_command_the_terminal_or_forge_lines():
    name = "a\x1b[2J\n! skipped b\u202e.wav"
    told = outcome_lines(
        [Skipped(name, "is empty")], [Outcome(name, (name,)), Outcome(name, problem=f"{name}: is bad")]
    )
    assert len(told.splitlines()) == 3
    assert not set(told) & {"\x1b", "\u202e"}


def test_a_copy_of_each_recordings_own_file_gets_the_tiers(corpus, run, tmp_path):
    theirs = {path.name: path.read_bytes() for path in corpus.glob("*.eaf")}
    (corpus / "broken.eaf").write_text("no")
    (broken,), outcomes = run(corpus, annotations=str(corpus))
    assert outcome_lines([broken], []).startswith(f"! skipped {corpus / 'broken.eaf'}: is not XML")
    assert {path.name: path.read_bytes() for path in corpus.glob("nci*.eaf")} == theirs
    for outcome in outcomes:
        name = os.path.basename(outcome.audio).removesuffix(".wav")
        (own,) = corpus.glob(f"{name}*.eaf")
        before, after = read_eaf(own).tiers, read_eaf(outcome.files[0]).tiers
        assert after[: len(before)] == before
        assert {t.name for t in after[len(before) :]} >= {"channel 1", "channel 1 words", "channel 2"}


def test_a_persons_own_file_is_changed_only_when_asked(corpus, recognizer):
    own, audio = corpus / "story.eaf", corpus / "story.wav"
    next(corpus.glob("*01*.eaf")).rename(own)
    next(corpus.glob("*01*.wav")).rename(audio)
    before = own.read_bytes()

    def run(**settings):
        given = TranscriptionSettings(
            recordings=[str(audio)], output_dir=str(corpus), annotations=str(corpus), **settings
        )
        return transcribe_all(find_jobs(given)[0], recognizer, VadSettings(), given)

    (outcome,) = run()
    advice = "is your own file: choose another --output_dir, or add tiers to it with --overwrite"
    assert f"story.eaf: {advice}" in outcome.problem
    assert own.read_bytes() == before
    (outcome,) = run(overwrite=True)
    assert not outcome.problem
    assert len(read_eaf(own).tiers) > 5
    assert all(line in own.read_bytes() for line in before.splitlines() if b"lastUsed" not in line)


def test_segments_of_a_tier_are_heard_and_transcripts_aligned(corpus, run, tmp_path):
    (tmp_path / "alone.wav").write_bytes(next(corpus.glob("*.wav")).read_bytes())
    for mode in ("segments_from", "align"):
        _, outcomes = run(
            corpus, tmp_path / "alone.wav", annotations=str(corpus), overwrite=True, **{mode: ["*_transcr*"]}
        )
        (alone,) = (o for o in outcomes if "alone" in o.audio)
        assert f"alone.wav: no ELAN file in {corpus} belongs to it" in alone.problem
        for outcome in outcomes[:-1]:
            assert not outcome.problem
            tiers = {t.name: t for t in read_eaf(outcome.files[0]).tiers}
            for name in (name for name in tiers if name.endswith("_transcription")):
                theirs, ours = tiers[name].annotations, tiers[f"{name} transcript"].annotations
                spoken = [a for a in theirs if a.value or mode == "segments_from"]
                assert [(a.start_ms, a.end_ms) for a in ours] == [(a.start_ms, a.end_ms) for a in spoken]
                assert tiers[f"{name} transcript"].participant == tiers[name].participant


def test_each_speakers_tier_is_aligned_in_the_recording_of_the_speaker(corpus, run, tmp_path):
    """The second recorder was started 2 s before the first, which the annotations' times are of."""
    samples, rate = soundfile.read(next(corpus.glob("*01*.wav")))
    folder = tmp_path / "tracks"
    folder.mkdir()
    for name in ("AB", "CD"):
        soundfile.write(folder / f"talk_{name}.wav", samples[: 10 * rate, 0], rate)
    spans = {"AB": (3000, 5000), "CD": (6000, 7500)}
    tiers = [Tier(f"tx@{who}", (Annotation(*span, "ba"),), participant=who) for who, span in spans.items()]
    write_eaf(folder / "talk.eaf", tiers, [folder / f"talk_{who}.wav" for who in spans])
    text = (folder / "talk.eaf").read_text(encoding="utf-8")
    before, after = text.split("talk_CD.wav", 1)
    (folder / "talk.eaf").write_text(f'{before}talk_CD.wav" TIME_ORIGIN="2000{after}', encoding="utf-8")
    skipped, outcomes = run(folder, annotations=str(folder), segments_from=["tx@*"], formats="eaf,json")
    assert skipped == []
    assert [outcome.problem for outcome in outcomes] == ["", ""]
    for who, outcome in zip(spans, outcomes, strict=True):
        (ours,) = (t for t in read_eaf(outcome.files[0]).tiers if t.linguistic_type == SEGMENT_TYPE)
        assert ours.name == f"tx@{who} transcript"
        assert [(a.start_ms, a.end_ms) for a in ours.annotations] == [spans[who]]
        with open(outcome.files[1], encoding="utf-8") as file:
            (heard,) = json.load(file)["segments"]
        later = 2000 if who == "CD" else 0
        assert (heard["start_ms"], heard["end_ms"]) == (spans[who][0] + later, spans[who][1] + later)
    for own in spans:
        (other,) = (who for who in spans if who != own)
        _, outcomes = run(folder, annotations=str(folder), align=[f"tx@{own}"], overwrite=True)
        (problem,) = (outcome.problem for outcome in outcomes if outcome.problem)
        assert f"no tier of talk_{other}.wav is called tx@{own}; there are: tx@{other}" in problem


def test_transcripts_of_another_kind_are_not_taken_for_those_that_are_asked_for(corpus, run):
    """They were "done before", and their files had nothing of what was asked for."""
    wanted = {"annotations": str(corpus), "align": ["*_transcription"]}
    recording = next(corpus.glob("*01*.wav"))
    (draft,) = run(recording, annotations=str(corpus))[1]
    before = Path(draft.files[0]).read_bytes()
    for other in (wanted, {"windows": True}):
        (outcome,) = run(recording, **other)[1]
        problem = f"{draft.files[0]}: holds a transcript of another kind (detected speech): choose another --output_dir"
        assert outcome.problem.startswith(problem)
    assert Path(draft.files[0]).read_bytes() == before
    (outcome,) = run(recording, **wanted, overwrite=True)[1]
    assert not outcome.problem
    assert run(recording, **wanted)[1][0].summary == "exists already, not changed"
    (outcome,) = run(recording, annotations=str(corpus))[1]
    assert "another kind (--align *_transcription): choose another --output_dir, or --overwrite" in outcome.problem
    (outcome,) = run(recording, **{**wanted, "align": ["*_tx"]})[1]
    assert "another kind (--align *_transcription)" in outcome.problem


def test_one_recording_of_many_is_no_problem_of_the_others(corpus, run):
    skipped, (outcome,) = run(next(corpus.glob("*.wav")), annotations=str(corpus), segments_from=["*_transcr*"])
    assert not skipped
    assert not outcome.problem


def test_a_tier_that_is_not_there_is_named(corpus, run):
    _, outcomes = run(corpus, annotations=str(corpus), align=["*SURFACE*"])
    assert len(outcomes) == 2
    for outcome in outcomes:
        assert ".eaf: no tier is called *SURFACE*; there are: " in outcome.problem


def test_an_eaf_whose_media_is_missing_is_named_where_its_segments_are_wanted(corpus, run):
    next(corpus.glob("*02*.wav")).unlink()
    (missing,), (good,) = run(corpus, annotations=str(corpus), segments_from=["*_transcription"])
    assert "its audio is not in" in missing.reason
    assert not good.problem


def test_what_the_machine_wrote_is_not_taken_for_a_persons(corpus, run, tmp_path):
    _, outcomes = run(corpus, annotations=str(corpus), segments_from=["*_transcr*"])
    drafts = tmp_path / "drafts"
    (tmp_path / "out").rename(drafts)
    _, again = run(corpus, annotations=str(drafts), align=["*_transcr*"])
    for first, second in zip(outcomes, again, strict=True):
        (before, after) = (
            read_eaf(path).tiers for path in (drafts / os.path.basename(first.files[0]), *second.files[:1])
        )
        theirs = [t.name for t in before if t.name.endswith("_transcription")]
        assert [t.name for t in after[len(before) :] if t.linguistic_type == SEGMENT_TYPE] == [
            f"{name} transcript (2)" for name in theirs
        ]


def test_an_annotation_without_length_is_named(corpus, run):
    (own,) = corpus.glob("*01*.eaf")
    add_tiers(own, own, [Tier("broken_transcription", (Annotation(500, 507, "a"),), "transcription")], {})
    own.write_bytes(own.read_bytes().replace(b'TIME_VALUE="507"', b'TIME_VALUE="500"'))
    _, (outcome, good) = run(corpus, annotations=str(corpus), segments_from=["broken*", "*_transcription"])
    assert "tier 'broken_transcription', 0.500 s: the annotation" in outcome.problem
    assert not good.problem


def test_the_output_may_lie_above_the_persons_files(corpus, recognizer, tmp_path):
    given = TranscriptionSettings(
        recordings=[str(corpus)], output_dir=str(tmp_path), annotations=str(corpus), formats="eaf"
    )
    jobs, _ = find_jobs(given)
    assert all(job.own for job in jobs)


def test_a_file_that_may_belong_to_several_recordings_is_named(corpus, run):
    (own,), (audio,) = corpus.glob("*01*.eaf"), corpus.glob("*01*.wav")
    for day in ("day1", "day2"):
        (corpus / day).mkdir()
        shutil.copy(audio, corpus / day)
    audio.unlink()
    (ambiguous,), _ = run(corpus, annotations=str(corpus))
    assert ambiguous.where == str(own)
    assert "several recordings could be its audio" in ambiguous.reason


def test_two_files_for_one_recording(corpus, run):
    shutil.copy(next(corpus.glob("*01*.eaf")), corpus / "nci_story_01_ed2.eaf")
    (second,), _ = run(corpus, annotations=str(corpus))
    assert "belongs to nci_story_01.wav too, and is used: keep one of them" in second.reason


def test_coverage():
    segments = (Segment(0, 1000, 3000), Segment(0, 4000, 5000), Segment(1, 0, 9000))
    transcript = Transcript("a.wav", 10_000, 2, segments, "a note")
    assert summary(transcript) == (
        "channel 1: 30% speech, longest gap 5 s; channel 2: 90% speech, longest gap 1 s; a note"
    )
    assert summary(Transcript("a.wav", 10_000, 1, ())) == "no speech found"
    assert summary(Transcript("a.wav", 10_000, 1, (Segment(0, 0, 10_000),))) == "100% speech, longest gap 0 s"


def test_the_verdict_counts_and_names_the_next_command():
    settings = TranscriptionSettings(recordings=["x"], output_dir="my drafts")
    new = Outcome("a.wav", ("my drafts/a.eaf",), written=True)
    old, bad = Outcome("b.wav", ("my drafts/b.eaf",)), Outcome("c.wav", problem="c.wav: not a sound file")
    verdict = next_steps([], [new, old, bad], settings)
    assert "1 recording transcribed, 1 done before, 1 skipped. Open my drafts/a.eaf in ELAN" in verdict
    assert "run this again with --queue" in verdict
    assert '  python recipes/prepare.py --corpus "my drafts" --output_dir my_dataset --inspect' in verdict
    assert "0 recordings transcribed, 1 skipped: fix the problems above" in next_steps([], [bad], settings)


def test_the_queue_can_be_asked_for_after_the_drafts(recipe, random_model, demo_folder, tmp_path):
    """The last line of a run advises it. A .json comes with a new .eaf: it must be of the same recogniser's draft."""
    audio = next((demo_folder / "corpus" / "audio").glob("*.wav"))
    command = ["transcribe.py", "--model", random_model, "--output_dir", tmp_path / "out", audio]
    first = recipe(*command)
    assert "run this again with --queue, before you correct" in first.stdout
    (draft,) = (tmp_path / "out").glob("*.eaf")
    asked = recipe(*command, "--queue")
    assert asked.returncode == 0, asked.stderr
    assert "1 recording transcribed" in asked.stdout
    segments = [s["text"] for s in json.loads(draft.with_suffix(".json").read_text(encoding="utf-8"))["segments"]]
    tiers = read_eaf(draft).tiers
    assert sorted(a.value for t in tiers if t.linguistic_type == SEGMENT_TYPE for a in t.annotations) == sorted(
        segments
    )
    assert any(t.linguistic_type == QUEUE_TYPE for t in tiers)
    rows = (tmp_path / "out" / "queue.tsv").read_text(encoding="utf-8").splitlines()
    assert len(rows) - 1 == sum(bool(text.strip()) for text in segments) > 0
    assert "0 recordings transcribed, 1 done before" in recipe(*command, "--queue").stdout


def test_the_queue_has_the_recordings_of_earlier_runs(demo_folder, run, tmp_path):
    first, second, third = sorted((demo_folder / "corpus" / "audio").glob("*.wav"))[:3]

    def queued(recording, **settings):
        outcomes = run(recording, queue=True, **settings)[1]
        given = TranscriptionSettings(output_dir=str(tmp_path / "out"), queue=True, **settings)
        with open(write_queue(outcomes, given), encoding="utf-8-sig", newline="") as file:
            return [row["recording"] for row in csv.DictReader(file, dialect="excel-tab")]

    alone = queued(first)
    assert set(alone) == {first.name}
    both = queued(second)
    assert set(both) == {first.name, second.name}
    assert both.count(first.name) == len(alone)
    assert queued(first) == both  # the same transcripts, each once
    (tmp_path / "out" / f"{first.stem}.eaf").unlink()
    assert set(queued(third)) == {second.name, third.name}


def test_what_is_saved_while_a_draft_is_written_anew_stays(demo_folder, run, tmp_path, monkeypatch):
    audio = next((demo_folder / "corpus" / "audio").glob("*.wav"))
    run(audio)
    (draft,) = (tmp_path / "out").glob("*.eaf")
    edited, write = draft.read_bytes() + b"<!-- corrected -->", batch._Run._write

    def late(*arguments):
        draft.write_bytes(edited)
        write(*arguments)

    monkeypatch.setattr(batch._Run, "_write", late)
    run(audio, queue=True)
    assert draft.read_bytes() == edited


def test_a_draft_with_a_persons_tiers_is_not_written_anew_without_them(corpus, run, tmp_path):
    audio = sorted(corpus.glob("*.wav"))[0]
    run(audio, annotations=str(corpus))
    (draft,) = (tmp_path / "out").glob("*.eaf")
    before = draft.read_bytes()
    [outcome] = run(audio, queue=True)[1]
    assert "has your own tiers, which came from --annotations: give that again" in outcome.problem
    assert draft.read_bytes() == before
    [outcome] = run(audio, queue=True, annotations=str(corpus))[1]
    assert not outcome.problem
    assert draft.with_suffix(".json").exists()


def test_an_aligned_queue_has_no_recognised_transcripts(corpus, run, tmp_path):
    first, second = sorted(corpus.glob("*.wav"))
    run(first, queue=True)
    settings = {"annotations": str(corpus), "align": ["*_transcription"]}
    outcomes = run(second, **settings)[1]
    queue = write_queue(outcomes, TranscriptionSettings(output_dir=str(tmp_path / "out"), **settings))
    assert second.name in queue.read_text(encoding="utf-8")
    assert first.name not in queue.read_text(encoding="utf-8")


def test_no_json_is_added_to_a_draft_that_a_person_edited(recipe, random_model, demo_folder, tmp_path):
    """A round compares what people corrected with the .json, which would be of another recogniser's draft."""
    audio = next((demo_folder / "corpus" / "audio").glob("*.wav"))
    command = ["transcribe.py", "--model", random_model, "--output_dir", tmp_path / "out", audio]
    assert recipe(*command).returncode == 0
    (draft,) = (tmp_path / "out").glob("*.eaf")
    edited = draft.read_bytes() + b"<!-- corrected -->"
    draft.write_bytes(edited)
    asked = recipe(*command, "--queue")
    assert asked.returncode == 0, asked.stderr
    assert f"! {draft}: was edited, and is not in the queue: --overwrite writes a new draft" in asked.stdout
    assert draft.read_bytes() == edited
    assert not draft.with_suffix(".json").exists()
    assert recipe(*command, "--queue", "--overwrite").returncode == 0
    assert draft.with_suffix(".json").exists()
    assert draft.with_name(f"{draft.stem}.edited.eaf").read_bytes() == edited


def test_the_work_is_divided_over_processes(demo_folder, random_model, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", str(RECIPES / "transcribe.py")]
    command += ["--model", str(random_model), "--output_dir", str(tmp_path / "out"), "--formats", "json"]
    command += ["--queue"]
    (tmp_path / "bad.wav").write_text("no")
    first, second, *_ = sorted((demo_folder / "corpus" / "audio").glob("*.wav"))
    recordings = [str(first), str(second), str(tmp_path / "bad.wav")]
    result = subprocess.run([*command, *recordings], capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stderr  # torchrun's own: the recipe's is 3
    assert len(list((tmp_path / "out").glob("*.json"))) == 2
    assert result.stdout.count(" → ") == 2
    assert result.stdout.count("! skipped") == 1
    queue = (tmp_path / "out" / "queue.tsv").read_text(encoding="utf-8")
    assert first.name in queue
    assert second.name in queue


def test_corrected_transcripts_are_training_data_when_asked(recipe, random_model, demo_folder, tmp_path):
    """The loop: transcribe, correct, prepare. A machine's tier is taken when it is named, and else never."""
    folder = tmp_path / "out"
    audio = tmp_path / "audio"
    audio.mkdir()
    for path in sorted((demo_folder / "corpus" / "audio").glob("*.wav"))[:3]:
        shutil.copy(path, audio)
    result = recipe("transcribe.py", "--model", random_model, "--output_dir", folder, audio)
    assert result.returncode == 0, result.stderr
    for path in audio.glob("*.wav"):
        shutil.copy(path, folder)
    result = recipe("prepare.py", "--corpus", folder, "--output_dir", tmp_path / "dataset", "--inspect")
    assert "no tier looks like a transcription" in result.stdout + result.stderr
    # In ELAN a person corrects the texts, and gives the tier a type of their own.
    for number, path in enumerate(sorted(folder.glob("*.eaf"))):
        tier = read_eaf(path).tiers[0]
        texts = [f"corrected {chr(97 + number)} {chr(97 + n)}" for n in range(len(tier.annotations))]
        annotations = [Annotation(a.start_ms, a.end_ms, t) for a, t in zip(tier.annotations, texts, strict=True)]
        words = Tier("channel 1 words", tuple(annotations), "u2u-hf word", parent="channel 1")
        write_eaf(path, [Tier("channel 1", tuple(annotations), "corrected"), words], [], {"u2u-hf word": "Included_In"})
    result = recipe("prepare.py", "--corpus", folder, "--output_dir", tmp_path / "dataset")
    assert result.returncode == 0, result.stderr
    assert "channel 1 words: written by a machine" in result.stdout
