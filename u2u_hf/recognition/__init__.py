"""The recogniser: model, vocabulary, log-probabilities to words, language model."""
