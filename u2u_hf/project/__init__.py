"""A linguist's project: one folder from the corpus to the recogniser and back, round after round."""
