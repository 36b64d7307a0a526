"""What the hospital has on its shelf and what it asks for it: Medication with an extension, ChargeItemDefinition (decision 0086)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from contracts.his import DrugStock, ItemPrice
from front_gateway.deadline import Deadline
from front_gateway.dialects.fhir.bundles import unusable
from front_gateway.dialects.fhir.client import FhirClient
from front_gateway.dialects.fhir.days import day_of, moment_of
from front_gateway.dialects.fhir.resources import ChargeItemDefinition, Medication, Resource
from front_gateway.dialects.fhir.systems import Systems
from front_gateway.dialects.parts import parts
from front_gateway.refusals import HospitalRefused

AT_ONCE = 20
"""Codes that are asked for in one search: the address stays short."""
_LEFT = frozenset({"inactive", "entered-in-error"})


class SupplyReader:
    """Reads stock and prices; nothing in them is about a patient."""

    def __init__(self, client: FhirClient, systems: Systems) -> None:
        self._client = client
        self._systems = systems

    async def stock(self, codes: Sequence[str], deadline: Deadline) -> list[DrugStock]:
        """Drugs of `codes` that are counted there, by code."""
        await self._require(Medication, deadline)
        found: dict[str, DrugStock] = {}
        for part in parts(codes, AT_ONCE):
            wanted = ",".join(f"{self._systems.drug}|{code}" for code in part)
            for one in await self._client.search(Medication, [("identifier", wanted)], deadline, about=None):
                code = self._code_of(one, part, (self._systems.drug,))
                level = next((e.value_integer for e in one.extension if e.url == self._systems.stock), None)
                if level is None or one.status in _LEFT:
                    continue
                at = moment_of(one.meta.last_updated)
                if at is None or code in found:
                    raise unusable("a drug twice, or a stock without its time")
                found[code] = DrugStock(code, max(level, 0), one.amount.numerator.unit, at)
        return [found[code] for code in sorted(found)]

    async def prices(self, codes: Sequence[str], deadline: Deadline) -> list[ItemPrice]:
        """Active prices of `codes`, by code."""
        await self._require(ChargeItemDefinition, deadline)
        systems = (self._systems.drug, self._systems.charge)
        found: dict[str, ItemPrice] = {}
        for part in parts(codes, AT_ONCE):
            wanted = ",".join(f"{system}|{code}" for code in part for system in systems)
            query = [("identifier", wanted), ("status", "active")]
            for one in await self._client.search(ChargeItemDefinition, query, deadline, about=None):
                code = self._code_of(one, part, systems)
                if one.status != "active":
                    raise unusable("a price that is not active")
                if code in found:
                    raise unusable("two active prices of one item")
                found[code] = ItemPrice(code, one.title, _amount(one), _since(one))
        return [found[code] for code in sorted(found)]

    async def _require(self, kind: type[Resource], deadline: Deadline) -> None:
        if not await self._client.has(kind.TYPE, deadline):
            raise HospitalRefused(f"no {kind.TYPE} there", 404)

    @staticmethod
    def _code_of(one: Resource, wanted: Sequence[str], systems: Sequence[str]) -> str:
        """Which of the codes that were asked for it is; another makes the answer unusable."""
        codes = (each.value for each in one.identifier if each.system in systems)
        found = next((code for code in codes if code in wanted), "")
        if not found:
            raise unusable("an item that was not asked for")
        return found


def _amount(one: ChargeItemDefinition) -> int:
    """The one base price, in fen."""
    base = [
        part.amount for group in one.property_group for part in group.price_component if part.type == "base"
    ]
    if len(base) != 1 or base[0].value is None or base[0].currency != "CNY":
        raise unusable("a price that is not one amount in CNY")
    fen = Decimal(base[0].value).scaleb(2)
    if fen != fen.to_integral_value() or fen < 0:
        raise unusable("a price that is not whole fen")
    return int(fen)


def _since(one: ChargeItemDefinition) -> date | None:
    return day_of(one.effective_period.start)
