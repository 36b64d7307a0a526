"""Citizen identity numbers by GB 11643: district, birth date, sequence (odd for men), check character."""

from datetime import date
from random import Random

DISTRICT = "310114"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
# Real sequences start low; the world keeps to the upper end, so that it hardly ever meets a living person's number.
_FIRST, _LAST = 900, 995


def check_character(first_17: str) -> str:
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]


class IdNumbers:
    """Hands out numbers, none twice."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._used: set[str] = set()

    def new(self, birth_date: date, sex: str) -> str | None:
        """None when that day has no number left for that sex: take another day."""
        prefix = f"{DISTRICT}{birth_date:%Y%m%d}"
        parity = 1 if sex == "1" else 0
        choices = (_LAST - _FIRST + 1) // 2
        start = int(self._random.random() * choices)
        for step in range(choices):
            body = f"{prefix}{_FIRST + parity + 2 * ((start + step) % choices)}"
            if body not in self._used:
                self._used.add(body)
                return body + check_character(body)
        return None
