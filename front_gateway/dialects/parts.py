"""Codes in so many calls."""

from collections.abc import Iterator, Sequence
from itertools import islice


def parts(codes: Sequence[str], most: int) -> Iterator[list[str]]:
    """Each code once, in their order, `most` at a time."""
    each = iter(dict.fromkeys(codes))
    while part := list(islice(each, most)):
        yield part
