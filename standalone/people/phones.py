"""Telephone numbers of the world: 199 0000 0001 and up for demo persons and staff, 199 0000 1000 and up for residents."""

FIRST = 19_900_000_000
RESERVED = 1_000
_FOR_RESIDENTS = 99_000


def demo_phone(place: int) -> str:
    """Memorable numbers below 199 0000 1000."""
    if not 0 < place < RESERVED:
        raise ValueError(f"place {place} is outside the range of demo numbers")
    return str(FIRST + place)


def resident_phone(place: int) -> str:
    """Own number of the resident in that place; beyond 99,000 people numbers are shared, as in families."""
    return str(FIRST + RESERVED + place % _FOR_RESIDENTS)
