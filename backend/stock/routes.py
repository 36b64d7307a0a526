"""The pharmacy's shelf."""

from typing import Annotated

import msgspec
from msgspec import Meta

from backend.edge import PHARMACIST, ApiCall, ApiEndpoint, Family
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


async def count_in(call: ApiCall, body: CountIn) -> LevelView:
    """Count packs in."""
    await service.count_in(call.session, call.actor, body.drug_code, body.packs, body.note)
    return next(one for one in await shelf(call) if one.drug_code == body.drug_code)


ENDPOINTS: list[ApiEndpoint] = [
    get("/stock", shelf, reply=list[LevelView], summary="药房库存", family=Family.THIRD_PARTY, roles=[PHARMACIST]),
    send("POST", "/stock", count_in, body=CountIn, reply=LevelView, summary="药品入库或盘点", family=Family.THIRD_PARTY,
         roles=[PHARMACIST], audited="stock.count_in"),
]  # fmt: skip
