"""Annotation and transcript formats: files to records and back, with a registry of readers and one of writers."""
