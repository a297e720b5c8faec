"""Dataset to recogniser."""
