"""The kinds of models that can be fine-tuned and used, each behind the same few questions."""
