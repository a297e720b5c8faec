"""The recogniser in Praat's menus."""
