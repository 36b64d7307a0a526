"""Where signatures stand on a sheet."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """A signature field: its name and place (points from the lower left corner of the first page)."""

    name: str
    box: tuple[int, int, int, int]
