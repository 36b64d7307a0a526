"""Issuing and reversing. No HTTP here."""

import secrets
from typing import Any

import msgspec

from simulators.ebill.store import Bill, Store
from simulators.ebill.wire import NewBill, Reversal
from simulators.server import BadField, Clock
from simulators.signed import Refused

CODE = "99060126"
"""Begins with 99, which is no region: nobody can take the bill for a real one."""
NOTICE = "演示票据，非有效票据"


class Platform:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def issue(self, request: NewBill) -> tuple[Bill, bool]:
        """The bill, and whether it is new. Raises BadField, Refused."""
        amounts = request.amounts
        if amounts.total != amounts.gov + amounts.self_ + amounts.other + amounts.cash:
            raise BadField("amounts", "the parts do not add up to the total")
        if amounts.total != sum(item.amount for item in request.items):
            raise BadField("items", "the items do not add up to the total")
        known = self._store.by_request(request.request_id)
        if known is not None:
            if known.red_of is not None or known.request != request:
                raise Refused("REQUEST_ID_USED", 409, "another bill has this request_id")
            return known, False
        number = self._store.add(request.request_id, request, secrets.token_hex(3), self._now())
        return self._bill(number), True

    def reverse(self, code: str, number: str, asked: Reversal) -> tuple[Bill, bool]:
        """The red bill, and whether it is new. A bill is reversed once and as a whole. Raises Refused."""
        blue = self.find(code, number)
        known = self._store.by_request(asked.request_id)
        if known is not None:
            if known.red_of != blue.number:
                raise Refused("REQUEST_ID_USED", 409, "another bill has this request_id")
            return known, False
        if blue.red_of is not None:
            raise Refused("IS_RED", 409, "红字票据不能再冲红")
        if self._store.red_of(blue.number) is not None:
            raise Refused("ALREADY_RED", 409, "该票据已冲红")
        with self._store.together():
            made = self._store.add(
                asked.request_id, blue.request, secrets.token_hex(3), self._now(), red_of=blue.number,
                reason=asked.reason,
            )  # fmt: skip
        return self._bill(made), True

    def of_request(self, request_id: str) -> Bill:
        """Raises Refused."""
        found = self._store.by_request(request_id)
        if found is None:
            raise Refused("NOT_FOUND", 404)
        return found

    def find(self, code: str, number: str) -> Bill:
        """Raises Refused."""
        found = (
            self._store.by_number(int(number))
            if code == CODE and number.isascii() and number.isdigit()
            else None
        )
        if found is None or len(number) != 10:
            raise Refused("NOT_FOUND", 404)
        return found

    def described(self, bill: Bill) -> dict[str, Any]:
        """As the platform tells it; a red bill's total is negative."""
        sign = -1 if bill.red_of is not None else 1
        red = self._store.red_of(bill.number)
        told = {
            "request_id": bill.request_id,
            "code": CODE,
            "number": number_of(bill.number),
            "check_code": bill.check_code,
            "kind": "red" if bill.red_of is not None else "blue",
            "state": "reversed" if red else "valid",
            "total": sign * bill.request.amounts.total,
            "issued_at": bill.issued_at,
            "notice": NOTICE,
        }
        if bill.red_of is not None:
            told["red_of"] = number_of(bill.red_of)
        if red is not None:
            told["red_number"] = number_of(red.number)
        return told

    def details(self, bill: Bill) -> dict[str, Any]:
        """With what stands on it."""
        return self.described(bill) | {"bill": msgspec.to_builtins(bill.request), "reason": bill.reason}

    def _bill(self, number: int) -> Bill:
        found = self._store.by_number(number)
        assert found is not None
        return found

    def _now(self) -> str:
        return self._clock.local().isoformat(timespec="seconds")


def number_of(number: int) -> str:
    """Ten digits."""
    return f"{number:010d}"
