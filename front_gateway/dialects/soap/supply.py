"""The hospital's shelf and price list, where it has interfaces for them. Nothing in them is about a patient."""

from collections.abc import Sequence

from contracts.his import DrugStock, ItemPrice
from front_gateway.deadline import Deadline
from front_gateway.dialects.parts import parts
from front_gateway.dialects.soap.client import SoapClient
from front_gateway.dialects.soap.rows import Row, unusable
from front_gateway.refusals import HospitalRefused

PART = 50
"""Codes in one call."""


class SupplyReader:
    """Asks for so many codes at a time, with commas between them."""

    def __init__(self, client: SoapClient) -> None:
        self._client = client

    async def stock(self, codes: Sequence[str], deadline: Deadline) -> list[DrugStock]:
        """By code; what the hospital does not count is not in it."""
        found = [
            DrugStock(code, row.number("quantity", 0), row.text("pack_unit"), row.moment("at"))
            for code, row in await self._rows("stock", "drug_code", codes, deadline)
        ]
        return sorted(found, key=lambda one: one.drug_code)

    async def prices(self, codes: Sequence[str], deadline: Deadline) -> list[ItemPrice]:
        """By code; what is not on the hospital's list is not in it."""
        found = [
            ItemPrice(code, row.text("item_name"), row.fen("amount"), row.day("valid_from"))
            for code, row in await self._rows("prices", "item_code", codes, deadline)
        ]
        return sorted(found, key=lambda one: one.code)

    async def _rows(
        self, interface: str, word: str, codes: Sequence[str], deadline: Deadline
    ) -> list[tuple[str, Row]]:
        """Each row with its code: one that was not asked for, or comes twice, makes the answer unusable."""
        if not self._client.has(interface):
            raise HospitalRefused(f"本院接口没有此项业务（{interface}）")
        found: dict[str, Row] = {}
        for part in parts(codes, PART):
            for row in await self._client.rows(interface, {"codes": ",".join(part)}, deadline):
                code = row.needed(word)
                if code not in part or code in found:
                    raise unusable(f"{interface}: a code that was not asked for, or twice")
                found[code] = row
        return list(found.items())
