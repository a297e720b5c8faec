"""Annotation and transcript formats: files to records and back; one registry of readers, one of writers."""
