"""The public price list."""

import msgspec

from backend.edge import ApiCall, ApiEndpoint, Family
from backend.pricing import service
from contracts.money import Fen
from foundation.web.endpoint import get


class PriceView(msgspec.Struct, frozen=True):
    """One price in force."""

    code: str
    name: str
    amount: Fen
    version: str
    basis: str


async def list_prices(call: ApiCall) -> list[PriceView]:
    """The price list in force."""
    found = await service.current_prices(call.session)
    return [PriceView(row.code, row.name, row.amount, row.version, row.basis) for row in found]


ENDPOINTS: list[ApiEndpoint] = [
    get("/prices", list_prices, reply=list[PriceView], summary="价格公示", family=Family.PERSONAL_VISIT),
]
