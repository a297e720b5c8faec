import json

from support.preparations import prepared, recording, utterance

from u2u_hf.records import Dropped
from u2u_hf.reports.digest import digest
from u2u_hf.reports.json_report import json_report


def test_what_is_dropped_is_listed_by_reason_and_details_name_the_audio(tmp_path):
    corpus = tmp_path / "corpus"
    made = prepared(
        {"train": []},
        recordings=[recording("story", path=corpus / "story.eaf", audio=str(corpus / "audio" / "story.wav"))],
        dropped=[
            Dropped(utterance("", 10, raw="[x]"), "nothing is left after the text rules"),
            Dropped(utterance("ab", 20, raw="Ab"), "the audio cannot be read", "holds no sound"),
        ],
    )
    written = json_report(digest(made, corpus))
    assert str(tmp_path) not in written
    row = {"recording": "story", "tier": "tx"}
    assert json.loads(written)["dropped"] == {
        "nothing is left after the text rules": [row | {"start_ms": 10, "raw_text": "[x]"}],
        "the audio cannot be read": [
            row | {"start_ms": 20, "raw_text": "Ab", "audio": "audio/story.wav", "detail": "holds no sound"}
        ],
    }
