"""Fees that are about to be paid online, and the hospital's own window.

A ChargeItem that is `planned` and names an appointment of the internet hospital keeps the window from charging the same fee until its
`occurrencePeriod` ends; `aborted` gives it free, and the Invoice of the same appointment, kind and prescription makes it `billed`. What the window has
charged, or another one keeps, cannot be locked (409).
"""

import uuid
from collections.abc import Iterator

from simulators.his import systems
from simulators.his.elements import values_at
from simulators.his.moments import instant, span_of_value
from simulators.his.outcomes import Issue, Json, Refusal
from simulators.his.store import Store, Stored
from simulators.his.systems import concept
from simulators.server import Clock

LONGEST_SECONDS = 2 * 3600
Fee = tuple[str, str, str]
"""Appointment, kind, and the number of the prescription (empty without one)."""
_VOID = frozenset({"draft", "cancelled", "entered-in-error"})


def judge(store: Store, clock: Clock, resource: Json) -> None:
    """A lock that was just created. Raises Refusal 422, or 409 when the fee is taken."""
    named = fee_of(resource)
    if resource.get("status") != "planned" or named is None:
        return
    end = _end(resource)
    if end is None or not clock.timestamp() < end <= clock.timestamp() + LONGEST_SECONDS:
        issue = Issue("business-rule", "锁定须有结束时间，最长两小时", "ChargeItem.occurrencePeriod")
        raise Refusal(422, issue)
    others = [one for one in locks(store, clock, named) if one.resource()["id"] != resource["id"]]
    if others or charged(store, named):
        text = "该费用已被另一次支付锁定" if others else "该费用已收取"
        raise Refusal(409, Issue("conflict", text, "ChargeItem"))


def settle(store: Store, clock: Clock, invoice: Json) -> None:
    """The charge came: its lock is over."""
    if (named := fee_of(invoice)) is not None:
        for one in locks(store, clock, named):
            store.replace(one, {**one.resource(), "status": "billed"}, instant(clock.now()))


def charge_at_the_window(store: Store, clock: Clock, patient: str, fee: Fee, fen: int) -> str:
    """What the clerk is told: empty when it is done, `locked` or `charged` when it cannot be."""
    with store.transaction():
        if charged(store, fee):
            return "charged"
        if locks(store, clock, fee):
            return "locked"
        appointment, kind, prescription = fee
        number = [{"system": systems.ONLINE_PRESCRIPTION, "value": prescription}] if prescription else []
        now = instant(clock.now())
        amount = {"value": fen / 100, "currency": "CNY"}
        invoice: Json = {
            "resourceType": "Invoice",
            "id": str(uuid.uuid4()),
            "identifier": [{"system": systems.APPOINTMENT, "value": appointment}, *number],
            "status": "balanced",
            "type": concept(systems.CHARGE, kind),
            "subject": {"reference": f"Patient/{patient}"},
            "date": now,
            "totalNet": amount,
            "totalGross": amount,
        }
        store.add(invoice, now, own=True)
        return ""


def locks(store: Store, clock: Clock, fee: Fee) -> list[Stored]:
    """Those that hold now."""
    found = (store.by_row(row) for row, _ in store.of_entries("ChargeItem", "identifier", [fee[0]]))
    return [one for one in found if _holds(one.resource(), clock) and fee_of(one.resource()) == fee]


def charged(store: Store, fee: Fee) -> bool:
    found = (store.by_row(row).resource() for row, _ in store.of_entries("Invoice", "identifier", [fee[0]]))
    return any(one.get("status") not in _VOID and fee_of(one) == fee for one in found)


def fee_of(resource: Json) -> Fee | None:
    """Which fee a lock or an invoice is about; None when it names no appointment of ours."""
    appointment = next(_of_system(resource, "identifier", systems.APPOINTMENT), "")
    element = "code" if resource["resourceType"] == "ChargeItem" else "type"
    kind = next(_of_system(resource, f"{element}.coding", systems.CHARGE), "")
    number = next(_of_system(resource, "identifier", systems.ONLINE_PRESCRIPTION), "")
    return (appointment, kind, number) if appointment and kind else None


def _of_system(resource: Json, path: str, system: str) -> Iterator[str]:
    for one in values_at(resource, tuple(path.split("."))):
        if isinstance(one, dict) and one.get("system") == system:
            yield str(one.get("value", one.get("code", "")))


def _holds(resource: Json, clock: Clock) -> bool:
    end = _end(resource)
    return resource.get("status") == "planned" and end is not None and clock.timestamp() < end


def _end(resource: Json) -> float | None:
    """Seconds since 1970, to the second that is named."""
    end = next(values_at(resource, ("occurrencePeriod", "end")), None)
    span = span_of_value(end)
    return span[0] if span else None
