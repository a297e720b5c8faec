"""The recogniser in the menus of ELAN and Praat."""
