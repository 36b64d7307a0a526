"""Test-only switches that take a guard away, so that a race test can prove that the guard is what holds.

A twin of each race test runs with the guard removed and must then fail. Outside a test nothing can switch one off.
"""

from collections.abc import Iterator
from contextlib import contextmanager

_removed: set[str] = set()


def guarded(name: str) -> bool:
    """Whether the guard `name` stands: always, but inside `without_guard`."""
    return name not in _removed


@contextmanager
def without_guard(name: str, *, allowed: bool) -> Iterator[None]:
    """Take the guard away for the block; `allowed` is ENV=test, anything else is refused."""
    if not allowed:
        raise RuntimeError("guards cannot be removed outside a test")
    _removed.add(name)
    try:
        yield
    finally:
        _removed.discard(name)
