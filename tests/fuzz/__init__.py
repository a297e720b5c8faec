"""Damaged files for everything that reads what others wrote: a result or one line, and nothing outside is touched."""
