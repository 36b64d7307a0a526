"""A hospital with more charges than fit into one answer, behind a gateway that counts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.reconciliation.ports import charges_of
from contracts.his import Charges, ChargesReply, HospitalCharge
from foundation.errors import Unavailable

pytestmark = pytest.mark.anyio

START = datetime(2026, 11, 19, 16, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class Ledger:
    """Answers like the gateway: all of a span, or that it does not fit."""

    seconds: list[int]
    fits: int
    busy: int = 0
    asked: list[Charges] = field(default_factory=list)

    async def call(self, request: Any, kind: Any) -> Any:
        self.asked.append(request)
        if self.busy:
            self.busy -= 1
            raise Unavailable("太快", code="busy")
        at = [START + timedelta(seconds=one) for one in self.seconds]
        found = [
            HospitalCharge(f"Invoice/{n}", "registration", str(n), 1, moment)
            for n, moment in enumerate(at)
            if request.since <= moment < request.until
        ]
        return ChargesReply(found) if len(found) <= self.fits else ChargesReply([], complete=False)


@given(st.lists(st.integers(0, 86_399), unique=True, max_size=60), st.integers(1, 10))
async def test_every_charge_of_the_day_comes_once_however_few_fit(seconds: list[int], fits: int) -> None:
    ledger = Ledger(sorted(seconds), fits)

    found = await charges_of(ledger, START, START + DAY)

    assert [one.number for one in found] == [str(n) for n in range(len(seconds))]


async def test_a_second_that_does_not_fit_is_said_and_not_half_told() -> None:
    with pytest.raises(Unavailable) as refused:
        await charges_of(Ledger([5, 5, 5], 2), START, START + DAY)
    assert refused.value.code == "hospital_answer_unusable"


async def test_a_busy_gateway_is_asked_again_and_another_trouble_is_not() -> None:
    ledger = Ledger([1], 5, busy=1)

    assert len(await charges_of(ledger, START, START + DAY)) == 1
    assert len(ledger.asked) == 2


async def test_an_unreachable_hospital_is_not_asked_again_at_once() -> None:
    class Silent:
        async def call(self, request: Any, kind: Any) -> Any:
            raise Unavailable("无应答", code="hospital_unreachable")

    with pytest.raises(Unavailable):
        await charges_of(Silent(), START, START + DAY)
