"""Names that belong together because they share something, directly or by others."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def first_of_linked(together: Iterable[Collection[str]]) -> dict[str, str]:
    """Return each name → the first, by the alphabet, of those that are linked with it.

    >>> first_of_linked([{"b", "c"}, {"a"}, {"d", "c"}]) == {"a": "a", "b": "b", "c": "b", "d": "b"}
    True

    Args:
        together: names that are linked; each name is in one of these at least.
    """
    together = [*together]
    linked = {name: name for names in together for name in names}  # name → another one, at the end the first one

    def first(name: str) -> str:
        while linked[name] != name:
            name = linked[name]
        return name

    for names in together:
        low, *others = sorted({first(name) for name in names})
        linked.update(dict.fromkeys(others, low))
    return {name: first(name) for name in linked}
