"""A language model's probabilities, asked for by text: decoding goes on from one state to the next instead."""


def log_prob(language_model, text, character):
    """The natural log of the probability that `character` follows `text`, which begins with `START`."""
    state = language_model.start()
    for before in text[1:]:
        state = state.after(before)
    return state.log_prob(character)
