import json

import pytest

from u2u_hf.corpus.reader import Recording
from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.data.audio import audio_info
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.recognition.decoding import Labels
from u2u_hf.records import Annotation, AnnotationDocument, Tier, U2UError
from u2u_hf.transcription.segmentation import find_speech, segments_of_tiers, to_align
from u2u_hf.transcription.voice_detection import VadSettings

LABELS = Labels(("<pad>", "|", "a"))


def document(*tiers):
    return AnnotationDocument("a.eaf", (), tiers)


def test_speech_is_found_where_the_speakers_of_each_channel_speak(demo_folder):
    """Every annotated stretch is found on its speaker's channel, and next to nothing of it on the other."""
    channels = json.loads((demo_folder / "reference" / "channels.json").read_text(encoding="utf-8"))
    found = 0
    for path in sorted((demo_folder / "corpus" / "audio").glob("*.wav")):
        segments = find_speech(audio_info(path), VadSettings()).segments
        document = read_eaf(next((demo_folder / "corpus" / "elan").glob(f"{path.stem}*.eaf")))
        for tier in document.tiers:
            if tier.linguistic_type != "transcription":
                continue
            spoken = [a for a in tier.annotations if a.value]
            total = sum(a.end_ms - a.start_ms for a in spoken)
            own = channels[path.stem][tier.participant]
            for channel in (0, 1):
                spans = [(s.start_ms, s.end_ms) for s in segments if s.channel == channel]
                common = sum(
                    max(0, min(a.end_ms, end) - max(a.start_ms, start)) for a in spoken for start, end in spans
                )
                assert (common > 0.95 * total) if channel == own else (common < 0.1 * total)
            found += 1
    assert found == 8


def test_the_first_channel_only_is_heard_as_a_mono_file_though_the_second_is_louder(louder_second):
    """On both channels, what the first one holds is cross-talk: it lost all of its speech to a channel not wanted."""
    both, alone = map(audio_info, louder_second)
    assert {s.channel for s in find_speech(both, VadSettings()).segments} == {1}
    shares = []
    found = find_speech(both, VadSettings(), progress=shares.append, first_only=True)
    assert found.segments
    assert found == find_speech(alone, VadSettings())
    assert sum(shares) == pytest.approx(1, abs=1e-3)


def test_what_cannot_be_segmented_is_named(new_recording):
    def segmented(*annotations):
        tier = Tier("A", annotations)
        return segments_of_tiers(Recording("a", document(tier), str(new_recording)), [tier], TextRules())

    with pytest.raises(U2UError, match=r"a\.eaf: tier 'A', 1\.500 s: the annotation overlaps"):
        segmented(Annotation(0, 2000, "a"), Annotation(1500, 3000, "b"))
    with pytest.raises(U2UError, match=r"a\.eaf: the annotation is not inside the audio"):
        segmented(Annotation(10**7, 10**7 + 1, "a"))
    assert segmented(Annotation(0, 900, "a"), Annotation(10**7, 10**7 + 1, "b")).note.startswith("1 annotation")
    assert segmented().segments == ()


def test_letters_that_the_model_does_not_know_are_named(new_recording):
    tier = Tier("A", (Annotation(0, 900, "Ŋa ʔa"), Annotation(1000, 1500, " ... ")))
    found = segments_of_tiers(Recording("a", document(tier), str(new_recording)), [tier], TextRules())
    assert to_align(found, LABELS).note.endswith("ignored in the alignment: ŋ ʔ")
    assert [s.text for s in to_align(found, LABELS).segments] == ["ŋa ʔa"]
