"""The pharmacy's shelf."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.edge import DOCTOR, PHARMACIST, ApiCall, ApiEndpoint, Family
from backend.formulary import queries as formulary
from backend.stock import service
from foundation.web.endpoint import get, send


class CountIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Packs that came in; below zero what a count found missing."""

    drug_code: Annotated[str, Meta(min_length=1, max_length=30)]
    packs: Annotated[int, Meta(ge=-100_000, le=100_000)]
    note: Annotated[str, Meta(min_length=2, max_length=100)]


class LevelView(msgspec.Struct, frozen=True):
    """Packs of one drug."""

    drug_code: str
    name: str
    on_hand: int
    reserved: int
    free: int


async def shelf(call: ApiCall) -> list[LevelView]:
    """All counted drugs."""
    rows = await service.levels(call.session)
    drugs = await formulary.by_codes(call.session, [row.drug_code for row in rows])
    return [
        LevelView(
            row.drug_code, drugs[row.drug_code].generic_name if row.drug_code in drugs else row.drug_code, row.on_hand,
            row.reserved, row.level.free,
        )
        for row in rows
    ]  # fmt: skip


class ShelfQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes of drugs, with commas."""

    codes: Annotated[str, Meta(max_length=4_000)] = ""


class HospitalCount(msgspec.Struct, frozen=True):
    """Packs in the hospital's own pharmacy: `at` when that last changed there, `read_at` when it was last heard of."""

    quantity: int
    unit: str
    at: datetime
    read_at: datetime


class ShelfView(msgspec.Struct, frozen=True):
    """Whether a drug is there: `free` packs on our own shelf (None: not counted), and what the hospital says (None: it does not)."""

    drug_code: str
    free: int | None
    hospital: HospitalCount | None
    out: bool


async def availability(call: ApiCall) -> list[ShelfView]:
    """What a doctor should know before choosing; it forbids nothing."""
    codes = [code for code in call.query.codes.split(",") if code][:MOST_CODES]
    ours = await service.levels_of(call.session, codes)
    theirs = await service.shelf_of(call.session, codes)
    found = []
    for code in dict.fromkeys(codes):
        free = ours[code].free if code in ours else None
        row = theirs.get(code)
        counted = HospitalCount(row.quantity, row.unit, row.at, row.read_at) if row else None
        out = free == 0 or (counted is not None and counted.quantity == 0)
        found.append(ShelfView(code, free, counted, out))
    return found


async def count_in(call: ApiCall, body: CountIn) -> LevelView:
    """Count packs in."""
    await service.count_in(call.session, call.actor, body.drug_code, body.packs, body.note)
    return next(one for one in await shelf(call) if one.drug_code == body.drug_code)


MOST_CODES = 200
ENDPOINTS: list[ApiEndpoint] = [
    get("/stock", shelf, reply=list[LevelView], summary="药房库存", family=Family.THIRD_PARTY, roles=[PHARMACIST]),
    get("/drugs/availability", availability, reply=list[ShelfView], query=ShelfQuery, summary="药品库存情况",
        family=Family.ONLINE_TREATMENT, roles=[DOCTOR, PHARMACIST]),
    send("POST", "/stock", count_in, body=CountIn, reply=LevelView, summary="药品入库或盘点", family=Family.THIRD_PARTY,
         roles=[PHARMACIST], audited="stock.count_in"),
]  # fmt: skip
