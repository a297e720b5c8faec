"""The recogniser in ELAN's tab Recognizers."""
