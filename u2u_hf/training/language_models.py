"""The language models among which validation chooses: of the transcripts alone, and of other texts too."""

from __future__ import annotations

from collections.abc import Sequence

from datasets import DatasetDict

from u2u_hf.data.dataset import require_split
from u2u_hf.recognition import language_model
from u2u_hf.recognition.decoding import Labels
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.records import Skipped
from u2u_hf.training.language_model_tuning import with_words
from u2u_hf.training.outside_text import Part, choose, rules_of

LETTERS, WORDS, TEXTS = "letters of the transcripts", "words of the transcripts", "words of the transcripts and texts"


def learn_all(
    splits: DatasetDict, dataset: str, parts: tuple[Sequence[Part], Sequence[Skipped]], labels: Labels, order: int
) -> tuple[dict[str, LanguageModel], str]:
    """Return the models by their names, and lines that say what was used of the texts; empty without texts.

    Models without use are missing: of words if letters alone make the validation texts as probable, and of texts if
    nothing is left of them.

    Args:
        dataset: folder or Hub name of the splits.
        parts: see `outside_text.read_parts`.
        order: characters in the longest n-grams.

    Raises:
        U2UError: a split is missing, the texts or the order are invalid, or the dataset's rules cannot be read.
    """
    train = require_split(splits, "train", dataset)
    validation = list(require_split(splits, "validation", dataset)["text"])
    letters = language_model.learn(train["text"], order)
    models = {LETTERS: letters}
    if (words := with_words(letters, validation)).share:
        models[WORDS] = words
    texts, skipped = parts
    if not texts:
        return models, ""
    raw = "raw_text" if "raw_text" in train.column_names else "text"
    transcripts = {name: list(split["text"]) for name, split in splits.items()}
    chosen = choose(texts, rules_of(dataset), labels, transcripts, list(train[raw]))
    chosen.skipped += skipped
    if chosen.sentences:
        models[TEXTS] = with_words(language_model.learn([*train["text"], *chosen.sentences], order), validation)
    return models, f"{chosen.report()}\n"
