"""Bodies of the bureau's INVENTED interface (docs/counterparts.md)."""

from typing import Annotated

from msgspec import Meta, Struct, field

Fen = Annotated[int, Meta(ge=0, le=10**12)]
SomeFen = Annotated[int, Meta(ge=1, le=10**12)]
Number = Annotated[str, Meta(pattern=r"\A[0-9A-Za-z_\-]{6,64}\Z")]


class Strict(Struct, forbid_unknown_fields=True):
    pass


class Line(Strict):
    """`grade`: 甲, 乙, 丙, or empty for what the catalogue does not have."""

    code: Annotated[str, Meta(max_length=60)]
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    grade: Annotated[str, Meta(pattern=r"\A[甲乙丙]?\Z")]
    quantity: Annotated[int, Meta(ge=1, le=10_000)]
    unit_amount: Fen
    amount: Fen


class Claim(Strict):
    """POST /bureau/v1/settlements."""

    serial_no: Annotated[str, Meta(pattern=r"\A[0-9A-Za-z]{6,20}\Z")]
    pay_auth_no: Annotated[str, Meta(min_length=1, max_length=40)]
    org_code: Annotated[str, Meta(min_length=1, max_length=32)]
    city_id: Annotated[str, Meta(min_length=1, max_length=8)]
    kind: Annotated[str, Meta(pattern=r"\A(registration|follow_up|prescription)\Z")]
    total: SomeFen
    lines: Annotated[list[Line], Meta(min_length=1, max_length=100)]


class Refund(Strict):
    """POST /bureau/v1/settlements/{pay_order_id}/refunds."""

    refund_no: Number
    gov: Fen
    self_: Fen = field(name="self")
    other: Fen
    reason: Annotated[str, Meta(max_length=80)] = ""
