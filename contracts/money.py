"""Money on the wire: whole fen. No float anywhere."""

from typing import Annotated

from msgspec import Meta

Fen = Annotated[int, Meta(ge=0, le=100_000_000, description="amount in fen (1/100 yuan)")]


def yuan(fen: int) -> str:
    """`3050` → `30.50`, the way a bill prints it."""
    sign, whole = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{whole // 100}.{whole % 100:02d}"


def parse_yuan(text: str) -> int:
    """`30.5` → 3050; `ValueError` for anything that is not yuan with at most two decimals."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    whole, point, part = digits.partition(".")
    if (
        not whole.isascii()
        or not whole.isdigit()
        or (point and not (part.isascii() and part.isdigit() and len(part) <= 2))
    ):
        raise ValueError(f"not an amount in yuan: {text!r}")
    return sign * (int(whole) * 100 + int((part or "0").ljust(2, "0")))
