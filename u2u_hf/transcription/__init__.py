"""Recordings to transcripts."""
