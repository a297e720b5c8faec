import pytest
from support.trainers import rows

from u2u_hf.data.dataset import load_splits
from u2u_hf.data.neighbours import Examples, neighbours
from u2u_hf.training import self_training
from u2u_hf.training.self_training import (
    Recognised,
    look,
    pseudo_labels,
    strangeness,
    threshold,
    with_pseudo_labels,
)


def item(text, score, alone=None):
    return Recognised(text, text if alone is None else alone, score)


def test_speech_is_strange_if_most_of_it_is_below_nearly_all_of_validation():
    validation = [item("a", score / 10) for score in range(11)]  # a tenth is below 0.1
    alike = [item("a", 0.1)] * 1 + [item("a", 0.05)] * 4
    other = [item("a", 0.1)] * 1 + [item("a", 0.05)] * 9
    assert strangeness(alike, validation) == ""
    assert "less sure of 90% of it than of nine tenths of validation" in strangeness(other, validation)


def test_the_threshold_is_where_texts_are_better_than_what_the_recogniser_writes_alone():
    # Alone, each of seven utterances of four characters has one error: 25 %. So at most 23.75 % are good enough. With
    # the language model the surer five have none, the last two four each: 4 of 24 are 16.7 %, 8 of 28 are 28.6 %.
    scores = [0.3, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    texts = ["bbbb", "aaaa", "aaaa", "aaaa", "aaaa", "aaaa", "bbbb"]
    recognised = [item(text, score, "aaab") for text, score in zip(texts, scores, strict=True)]
    limit, cer, most = threshold(recognised, ["aaaa"] * 7)
    assert (limit, cer, most) == (0.4, pytest.approx(4 / 24), pytest.approx(0.2375))
    # Of texts that are all wrong none is good enough.
    limit, cer, most = threshold([item("bbbb", score) for score in scores], ["aaaa"] * 7)
    assert (limit, cer, most) == (float("inf"), 1.0, 0.75)


def test_what_is_added_has_its_texts_and_no_neighbours():
    train = rows(["ab", "b"], [1.0, 0.8])
    for name, column in {"recording": ["r", "r"], "channel": [0, 0], "start_ms": [0, 1500]}.items():
        train = train.add_column(name, column)
    for name, column in {"tier": ["t", "t"], "speaker": ["s", "s"], "end_ms": [1000, 2300]}.items():
        train = train.add_column(name, column)
    mixed = with_pseudo_labels(train, rows(["", "", ""], [0.5, 0.6, 0.7]), {2: "aa", 0: "a"})
    assert mixed["text"] == ["ab", "b", "a", "aa"]
    assert mixed["duration"] == [1.0, 0.8, 0.5, 0.7]
    joined = neighbours(mixed, 0.5, 30.0, 0)
    assert joined == [(0, 1)]
    assert [len(example["samples"]) for example in Examples(mixed, joined)][2:4] == [8000, 11_200]


@pytest.fixture(scope="module")
def splits(demo_dataset):
    return load_splits(demo_dataset)


def test_the_recogniser_knows_its_language_and_not_noise(trained_model, splits, tmp_path):
    known = tmp_path / "validation.json"
    found = look(trained_model, splits["test"], splits, 0, known)
    assert (found.strange, found.weak) == ("", "")
    noise = rows([""] * 5, [3.0] * 5)
    assert "another language, music or noise?" in look(trained_model, noise, splits, 0, known).strange


def test_what_it_is_sure_of_is_kept_and_found_once(trained_model, splits, tmp_path, monkeypatch):
    speech, known = splits["test"], tmp_path / "validation.json"
    recognised, real = [], self_training.recognise

    def recognise(model, rows, order, texts, title):
        recognised.append(title)
        return real(model, rows, order, texts, title)

    monkeypatch.setattr(self_training, "recognise", recognise)
    look(trained_model, speech, splits, 0, known)
    found = pseudo_labels(trained_model, speech, splits, 0, known, tmp_path / "texts.json")
    assert recognised == ["recognising validation", "recognising a few segments", "recognising speech"]
    assert found.refused == ""
    assert 0 < len(found.texts) <= len(speech)
    assert sum(speech[row]["duration"] for row in found.texts) <= 2 * sum(splits["train"]["duration"])
    assert all(set(text) <= set("".join(splits["train"]["text"])) | {" "} for text in found.texts.values())
    # What is kept in the file is read, and nothing recognised: there is no such model.
    again = pseudo_labels(tmp_path / "nowhere", speech, splits, 0, known, tmp_path / "texts.json")
    assert again == found
    # Without any time there is no segment to look at.
    late = pseudo_labels(trained_model, speech, splits, 0, known, tmp_path / "late.json", 0.0)
    assert late.refused == "too little time is left to recognise speech"
    mixed = with_pseudo_labels(splits["train"], speech, found.texts)
    assert len(mixed) == len(splits["train"]) + len(found.texts)
