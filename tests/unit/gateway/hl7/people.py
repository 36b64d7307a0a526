"""The persons of the samples, as the main dialect would name them."""

from datetime import date, datetime

from foundation.clock import LOCAL
from front_gateway.dialects import Who

SINCE = date(2026, 1, 1)
NOW = datetime(2026, 11, 22, 10, 30, tzinfo=LOCAL)


def who(name: str = "周桂珍", *numbers: str, sex: str = "female", birth: date = date(1958, 9, 19)) -> Who:
    """Somebody with these numbers."""
    numbers = numbers or ("P0000001",)
    return Who(numbers[0], numbers, name, frozenset({name}), sex, birth)
