from pathlib import Path

import numpy as np
import pytest
import soundfile

from u2u_hf.corpus.channels import assign_channels, channel_rule
from u2u_hf.corpus.preparation import PreparationSettings, inspect
from u2u_hf.data import audio
from u2u_hf.doctor.annotations import read
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.records import CORRECTED_TYPE, MACHINE_ANNOTATOR, Annotation, Tier, U2UError, Utterance

AUTO = channel_rule(["auto"], Path())


def utterance(path, tier, start, end):
    return Utterance("r", str(path), tier, tier, None, start, end, "a", "a")


@pytest.fixture
def conversation(tmp_path):
    """2 s at 8 kHz: A speaks on the right (0-800 ms), B on the left (1000-1800 ms); each leaks, 20 dB down."""
    rng = np.random.default_rng(0)
    a, b = np.zeros(16_000), np.zeros(16_000)
    a[:6400] = rng.standard_normal(6400) * 0.1
    b[8000:14_400] = rng.standard_normal(6400) * 0.02  # a soft speaker
    path = tmp_path / "r.wav"
    soundfile.write(path, np.stack([b + 0.1 * a, a + 0.1 * b], 1) + 0.3, 8000, subtype="FLOAT")  # and a DC offset
    return path


def test_each_speaker_is_found_on_the_louder_channel(conversation):
    rows = [utterance(conversation, "A", 0, 800), utterance(conversation, "B", 1000, 1800)]
    placed, choices, dropped = assign_channels(rows, AUTO, audio)
    assert [(u.tier, u.channel) for u in placed] == [("A", 1), ("B", 0)]
    assert [c.margin_db for c in choices] == pytest.approx([20, 20], abs=0.5)
    assert not any(c.close for c in choices)
    assert not dropped


def test_overlap_does_not_count_where_the_speaker_is_also_alone(conversation):
    # B's second annotation lies where A speaks, ten times as loud: only the first one is listened to.
    rows = [
        utterance(conversation, "A", 0, 800),
        utterance(conversation, "B", 1000, 1800),
        utterance(conversation, "B", 100, 700),
    ]
    placed, _, _ = assign_channels(rows, AUTO, audio)
    assert {(u.tier, u.channel) for u in placed} == {("A", 1), ("B", 0)}


def test_mono_and_one_microphone(tmp_path):
    noise = np.random.default_rng(0).standard_normal(8000) * 0.1
    soundfile.write(tmp_path / "mono.wav", noise, 8000)
    soundfile.write(tmp_path / "same.wav", np.stack([noise, noise], 1), 8000)
    (mono,), (choice,), _ = assign_channels([utterance(tmp_path / "mono.wav", "A", 0, 500)], AUTO, audio)
    assert (mono.channel, choice.how, choice.margin_db, choice.close) == (0, "mono", None, False)
    _, (choice,), _ = assign_channels([utterance(tmp_path / "same.wav", "A", 0, 500)], AUTO, audio)
    assert choice.close


def test_what_has_no_audio_is_dropped_with_its_reason(conversation, tmp_path):
    rows = [
        utterance(conversation, "A", 0, 800),
        utterance(conversation, "A", 1900, 2100),
        utterance(conversation, "A", -100, 500),
        utterance(tmp_path / "gone.wav", "A", 0, 800),
    ]
    placed, _, dropped = assign_channels(rows, AUTO, audio)
    assert placed[0].start_ms == 0
    assert len(placed) == 1
    assert [(d.utterance.start_ms, d.reason, d.detail) for d in dropped] == [
        (1900, "the annotation is not inside the audio", "the audio lasts 2.0 s"),
        (-100, "the annotation is not inside the audio", "the audio lasts 2.0 s"),
        (0, "the audio cannot be read", "there is no such file"),
    ]


@pytest.mark.parametrize(
    ("span", "cut"),
    [
        ((1500, 2001), (1500, 2000)),  # rounded up: the sound ends within a millisecond
        ((1500, 2042), (1500, 2000)),  # the picture ends 1/24 s after the sound
        ((-1, 500), (0, 500)),
        ((1500, 2043), None),
        ((-43, 500), None),
        ((2000, 2042), None),  # nothing of it is in the audio
        ((-40, 0), None),
    ],
)
def test_an_annotation_that_passes_the_end_by_a_frame_of_video_is_cut(conversation, span, cut):
    found, _, dropped = assign_channels([utterance(conversation, "A", *span)], AUTO, audio)
    assert [(u.start_ms, u.end_ms) for u in found] == ([cut] if cut else [])
    assert len(dropped) == (cut is None)


def placed(rows, settings, corpus=Path()):
    found, choices, dropped = assign_channels(rows, channel_rule(settings, corpus), audio)
    return {u.tier: u.channel for u in found}, {c.tier: c.how for c in choices}, dropped


def test_told_by_order_or_name(conversation):
    rows = [utterance(conversation, "A", 0, 800), utterance(conversation, "B", 1000, 1800)]
    assert placed(rows, ["order"])[:2] == ({"A": 0, "B": 1}, {"A": "told", "B": "told"})
    assert placed(rows, ["A=left", "B=2"])[0] == {"A": 0, "B": 1}
    assert placed(rows, ["[B-Z]=right"])[:2] == ({"A": 1, "B": 1}, {"A": "heard", "B": "told"})
    channels, _, dropped = placed(rows, ["*=3"])
    assert not channels
    assert str(dropped[0]) == (
        "the audio does not have the channel that --channels gives the speaker: channel 3, the audio has 2"
    )


def test_the_order_counts_tiers_of_which_nothing_can_be_used(conversation):
    folder = conversation.parent
    said = [(0, 100, "mm"), (1000, 1800, "kana tali")]  # A's only annotation is too short
    tiers = [Tier(name, (Annotation(*one),), participant=name) for name, one in zip("AB", said, strict=True)]
    write_eaf(folder / "r.eaf", tiers, [conversation])
    settings = PreparationSettings(corpus=str(folder), tiers=["A", "B"], channels=["order"])
    [used] = [u for row in inspect(settings, audio).splits.values() for u in row]
    assert (used.tier, used.channel) == ("B", 1)
    [examined] = read(settings, audio).utterances
    assert (examined.tier, examined.channel) == ("B", 1)


def test_the_order_counts_no_empty_tier_and_no_corrected_draft(conversation):
    """A template's empty tier stands before A; a corrected draft is on its loudest channel, the right one."""
    folder = conversation.parent
    said = {"X": [], "A": [(0, 700, "kana tali")], "B": [(1000, 1800, "nena ri")]}
    tiers = [Tier(name, tuple(Annotation(*one) for one in rows)) for name, rows in said.items()]
    draft = Tier("channel 1", (Annotation(100, 800, "kano ta"),), CORRECTED_TYPE, "", MACHINE_ANNOTATOR)
    write_eaf(folder / "r.eaf", [draft, *tiers], [conversation])
    settings = PreparationSettings(corpus=str(folder), tiers=["X", "A", "B"], channels=["order"])
    used = [u for row in inspect(settings, audio).splits.values() for u in row]
    assert {u.tier: u.channel for u in used} == {"A": 0, "B": 1, "channel 1": 1}


@pytest.mark.parametrize("table", ["r.wav,Ana López,Beto\n", "recording;left;right\nR;ANA LO\u0301PEZ;Beto\n"])
def test_told_by_a_table(conversation, table):
    (conversation.parent / "who").mkdir()
    (conversation.parent / "who" / "mapping.csv").write_text(table, encoding="utf-8")
    rows = [
        Utterance("elan/R_ed-2025", str(conversation), "Beto-SURFACE", "Beto-SURFACE", None, 0, 800, "a", "a"),
        Utterance("elan/R_ed-2025", str(conversation), "tx", "Ana López", None, 1000, 1800, "a", "a"),
        Utterance("elan/R_ed-2025", str(conversation), "C", "C", None, 1000, 1800, "a", "a"),
    ]
    channels, how, _ = placed(rows, ["mapping.csv"], conversation.parent)
    assert channels == {"Beto-SURFACE": 1, "tx": 0, "C": 0}
    assert how == {"Beto-SURFACE": "told", "tx": "told", "C": "heard"}


def test_a_table_may_have_codes_of_initials_and_parts_of_names(conversation):
    table = "wav,left,right\nunrelated,X,Y\nr,RCG500,CTB501\nbad line\n"
    (conversation.parent / "codes.csv").write_text(table, encoding="utf-8")
    path = conversation.rename(conversation.with_name("Narrative_R_2010.wav"))
    names = ("Constantino Teodoro Bautista SURFACE", "RCG Corrección-Surface", "Rey Castillo García-SURFACE2", "CT")
    rows = [Utterance("x", str(path), name, name, None, 0, 800, "a", "a") for name in names]
    channels, how, _ = placed(rows, ["codes.csv"], conversation.parent)
    assert [channels[name] for name in names[:3]] == [1, 0, 0]
    assert [how[name] for name in names] == ["told", "told", "told", "heard"]


@pytest.mark.parametrize(
    ("row", "speakers"),
    [
        ("Ana,Mariana", {"Ana": 0, "Mariana": 1}),
        ("Mariana,Ana", {"Ana": 1, "Mariana": 0}),
        ("Ana,Mariana", {"Ana-SURFACE": 0, "Mariana-SURFACE": 1}),
        ("Ana,Ana López", {"Ana": 0, "Ana López-SURFACE": 1}),
        ("S1,S10", {"S1": 0, "S10": 1}),
        ("S1,S2", {"S10": None, "S2": 1}),
        ("Ana,Pedro", {"Mariana": None, "PedroSurface": 1}),
        ("Ana,Beto", {"Ana and Beto": None}),  # both columns fit equally well
    ],
)
def test_a_name_in_a_table_is_that_of_one_speaker(conversation, row, speakers):
    (conversation.parent / "who.csv").write_text(f"r,{row}\n", encoding="utf-8")
    rows = [Utterance("r", str(conversation), name, name, None, 0, 800, "a", "a") for name in speakers]
    channels, how, _ = placed(rows, ["who.csv"], conversation.parent)
    told = {name: channels[name] if how[name] == "told" else None for name in speakers}
    assert told == speakers


def test_a_row_is_not_taken_for_a_recording_whose_name_goes_on(conversation):
    (conversation.parent / "who.csv").write_text("story_1,B,A\nana,A,B\n", encoding="utf-8")
    for name, how in {"story_10": "heard", "my story_1 b": "told", "mariana": "heard"}.items():
        path = conversation.with_name(f"{name}.wav")
        path.write_bytes(conversation.read_bytes())
        assert placed([utterance(path, "B", 0, 800)], ["who.csv"], conversation.parent)[1] == {"B": how}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["both"], "--channels both: use auto, order"),
        (["A=up"], "--channels A=up: use auto"),
        (["A=0"], "--channels A=0: use auto"),
        (["gone.csv"], r"gone\.csv: there is no such file"),
        (["thin.csv"], r"thin\.csv: every line needs"),
    ],
)
def test_mistakes_are_named(tmp_path, settings, message):
    (tmp_path / "thin.csv").write_text("r\n", encoding="utf-8")
    with pytest.raises(U2UError, match=message):
        channel_rule(settings, tmp_path)
