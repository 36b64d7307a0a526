"""Tickets of a draw are asked for at the very moment of a release: there, too, nobody asks without end."""

import httpx
import pytest

from backend.caller import new_device
from backend.context import Context
from backend.policy import Rate
from tests.policies import numbers
from tests.unit.fairness.test_draws import Person, people, release, wish

pytestmark = pytest.mark.anyio


async def presses(
    api: httpx.AsyncClient, running: Context, crowd: list[Person], times: int, headers: dict[str, str]
) -> list[bool]:
    """Whether each was told to come later."""
    (slot,) = await release(running)
    return [
        (
            await api.post("/booking-tickets", json=wish(one, slot), headers=one[1] | headers)
        ).status_code == 429
        for one in crowd for _ in range(times)
    ]  # fmt: skip


async def test_one_person_presses_so_often_and_no_more(api: httpx.AsyncClient, running: Context) -> None:
    with numbers(rate_person=Rate("3/60")):
        refused = await presses(api, running, await people(running, 1), 4, {})

    assert refused == [False] * 3 + [True]


async def test_one_device_presses_so_often_whomever_it_is_for(
    api: httpx.AsyncClient, running: Context
) -> None:
    with numbers(rate_device=Rate("3/60")):
        refused = await presses(api, running, await people(running, 2), 2, {"x-device": new_device()})

    assert refused == [False] * 3 + [True]


async def test_one_address_presses_so_often_whoever_sits_behind_it(
    api: httpx.AsyncClient, running: Context
) -> None:
    with numbers(rate_address=Rate("3/60"), trusted_proxies=("127.0.0.1",)):
        refused = await presses(api, running, await people(running, 2), 2, {"x-forwarded-for": "203.0.113.9"})

    assert refused == [False] * 3 + [True]
