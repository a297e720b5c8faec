"""Somebody saves a file, or a run is killed, between any two steps of a program that moves files."""

import os
from itertools import count


def before_call(monkeypatch, number, act):
    """Do something before the n-th time that a file gets or loses a name → whether that was done."""
    calls, done = count(1), []

    def counted(function):
        def call(*arguments, **settings):
            if next(calls) == number:
                done.append(True)
                act()
            return function(*arguments, **settings)

        return call

    for name in ("replace", "rename", "link", "unlink"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    return lambda: bool(done)


def saved_before(monkeypatch, number, path, save):
    """A person saves "corrected" then; see `before_call`."""
    return before_call(monkeypatch, number, lambda: save(path))


def _written_anew(path, replace=os.replace):
    """As programs that write a temporary file first."""
    other = path.with_name("~saving")
    other.write_text("corrected", encoding="utf-8")
    replace(other, path)


def _overwritten(path):
    path.write_text("corrected", encoding="utf-8")


SAVES = {"written anew": _written_anew, "overwritten": _overwritten}
