"""The dispensing desk: paid orders to prepare, one order to pack and hand over, and the way of its parcel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.desk.declared import DeskCall, Shown, action, page
from backend.dispensing import queries, routes, rules
from backend.dispensing.model import Dispense
from backend.dispensing.rules import CAUSES, LABELS, QUALITY
from backend.dispensing.states import DISPENSE, DispenseState
from backend.dispensing.wire import dispense_view, dispensed
from backend.edge import CLERK, PHARMACIST
from backend.policy import policy
from backend.prescription.model import PrescriptionRow

LONG_WAIT = timedelta(hours=2)
"""A paid order that waits longer is marked."""

METHODS = {"courier": "快递", "pickup": "到院自取"}


@dataclass(frozen=True)
class Order:
    """An order with its prescription."""

    row: Dispense
    prescription: PrescriptionRow


async def queue(call: DeskCall) -> Shown:
    """Paid orders, oldest first; parcels on their way; what ended lately."""
    to_prepare = await _orders(call.session, await queries.to_prepare(call.session))
    under_way = (
        select(Dispense)
        .where(Dispense.state == DispenseState.IN_PROGRESS)
        .order_by(Dispense.handed_over_at)
        .limit(100)
    )
    ended = (
        select(Dispense).where(Dispense.ended_at.is_not(None)).order_by(Dispense.ended_at.desc()).limit(20)
    )
    words = {
        "to_prepare": to_prepare, "methods": METHODS, "parcel": LABELS, "labels": DISPENSE.labels, "long_wait": LONG_WAIT,
        "under_way": await _orders(call.session, (await call.session.scalars(under_way)).all()),
        "returned": await _orders(call.session, await queries.to_judge(call.session)),
        "ended": await _orders(call.session, (await call.session.scalars(ended)).all()),
    }  # fmt: skip
    return Shown("dispensing/queue.html", words)


async def sheet(call: DeskCall) -> Shown:
    """One order: what to pack, where it goes, how it travels. Drugs are for the pharmacist alone."""
    row = await queries.visible(call.session, call.actor, call.id())
    way = await queries.way(call.session, row.id)
    prescription = await call.session.get_one(PrescriptionRow, row.prescription_id)
    words = {
        "row": row, "view": dispense_view(row, way),
        "record": dispensed(row, *await queries.facts_of(call.session, row)), "prescription": prescription, "methods": METHODS,
        "pharmacist": call.actor.has(PHARMACIST), "phone": row.receiver.phone,
        "open": row.state is DispenseState.PREPARATION and row.paid_at is not None,
        "causes": {key: words for key, (_, words) in CAUSES.items() if key == QUALITY or row.state is DispenseState.STOPPED},
        "judgeable": not row.return_cause and row.state in (DispenseState.STOPPED, DispenseState.COMPLETED),
        "codes": await _codes(call.session, row), "checks": _checks(), "disposals": rules.DISPOSALS,
        "codes_wanted": policy().trace_codes, "must_quarantine": row.quarantined_at is None
        and (row.parcel_status == "returned" or row.state is DispenseState.COMPLETED),
        "returned": row.state is DispenseState.STOPPED, "all_causes": {key: words for key, (_, words) in CAUSES.items()},
    }  # fmt: skip
    return Shown("dispensing/order.html", words)


async def _codes(session: AsyncSession, row: Dispense) -> dict[int, list[str]]:
    """Trace codes by line."""
    found: dict[int, list[str]] = {}
    for one in await queries.trace_codes(session, row.id):
        found.setdefault(one.line, []).append(one.code)
    return found


def _checks() -> dict[str, list[tuple[str, str]]]:
    """The ten comparisons under their four checks."""
    found: dict[str, list[tuple[str, str]]] = {}
    for key, one in rules.CHECKS.items():
        found.setdefault(one.check, []).append((key, one.words))
    return found


async def _orders(session: AsyncSession, rows: Sequence[Dispense]) -> list[Order]:
    wanted = [row.prescription_id for row in rows]
    found = await session.scalars(select(PrescriptionRow).where(PrescriptionRow.id.in_(wanted)))
    by_id = {row.id: row for row in found}
    return [Order(row, by_id[row.prescription_id]) for row in rows]


DESK = [PHARMACIST, CLERK]
QUEUE = page("/desk/dispenses", queue, title="发药与配送", roles=DESK, menu="发药与配送", live=["pharmacy"])
SHEET = page("/desk/dispenses/{id}", sheet, title="发药单", roles=DESK, audited="dispense.view")
PAGES = [QUEUE, SHEET]
ACTIONS = [
    action(
        "/desk/dispenses/{id}/hand-over", routes.ENDPOINTS, routes.hand_over, back=SHEET, then="/desk/dispenses/{id}",
        said="已发药。",
    ),
    action(
        "/desk/dispenses/{id}/trace-codes", routes.ENDPOINTS, routes.record_codes, back=SHEET,
        then="/desk/dispenses/{id}", said="已登记追溯码。",
    ),
    action(
        "/desk/dispenses/{id}/prepare", routes.ENDPOINTS, routes.prepare, back=SHEET, then="/desk/dispenses/{id}",
        said="已登记调配完成，请核对后发药。",
    ),
    action(
        "/desk/dispenses/{id}/quarantine", routes.ENDPOINTS, routes.quarantine, back=SHEET,
        then="/desk/dispenses/{id}", said="已登记入隔离区。",
    ),
    action(
        "/desk/dispenses/{id}/decline", routes.ENDPOINTS, routes.decline, back=SHEET, then="/desk/dispenses",
        said="已登记无法配药，药费将原路退回患者。",
    ),
    action(
        "/desk/dispenses/{id}/return", routes.ENDPOINTS, routes.judge_return, back=SHEET, then="/desk/dispenses/{id}",
        said="已认定退回原因。",
    ),
]  # fmt: skip
