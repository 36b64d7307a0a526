"""How often one may ask: per person, device and address; never at the price of keeping somebody out for want of Valkey."""

import httpx
import pytest
from redis.asyncio import Redis
from starlette.requests import Request

from backend.caller import address_of, device_of, known_device, new_device
from backend.context import Context
from backend.policy import Rate, policy
from tests.builders.requests import a_person
from tests.database import SharedClock, moves_on
from tests.policies import numbers
from tests.small_world import DAUGHTER, OTHER, PATIENT

PROXY = "192.0.2.1"
pytestmark = pytest.mark.anyio


def asking(host: str = PROXY, **headers: str) -> Request:
    found = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": found, "client": (host, 1)})


def test_a_device_is_known_by_its_mark(bound: None) -> None:
    device = new_device()

    assert device_of(asking(x_device=device)) == known_device(device) is not None
    for forged in ("", "x", device[:-1] + ("0" if device[-1] != "0" else "1"), device.split(".")[0], "é.é"):
        assert known_device(forged) is None


@pytest.mark.parametrize(
    ("host", "forwarded", "trusted", "expected"),
    [
        (PROXY, "203.0.113.9", (), PROXY),
        (PROXY, "203.0.113.9", (PROXY,), "203.0.113.9"),
        (PROXY, "198.51.100.7, 203.0.113.9", (PROXY,), "203.0.113.9"),
        (PROXY, "198.51.100.7, 203.0.113.9", (PROXY, "203.0.113.9"), "198.51.100.7"),
        (PROXY, "", (PROXY,), ""),
        ("127.0.0.1", "203.0.113.9", (), ""),
        (PROXY, "no address", (PROXY,), ""),
        ("2001:db8:1:2:3:4:5:6", "", (), "2001:db8:1:2::"),
        ("::ffff:203.0.113.9", "", (), "203.0.113.9"),
    ],
)
def test_an_address_is_believed_only_from_proxies_that_were_named(
    host: str, forwarded: str, trusted: tuple[str, ...], expected: str
) -> None:
    request = asking(host, x_forwarded_for=forwarded) if forwarded else asking(host)

    assert address_of(request, trusted) == expected


async def asks(api: httpx.AsyncClient, headers: dict[str, str], person: str) -> httpx.Response:
    """For something cheap that is refused anyway."""
    return await api.post(
        "/eligibility", json={"person_id": person, "diagnosis_code": "I10"}, headers=headers
    )


async def test_whoever_asks_too_often_hears_when_to_come_again(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    patient, headers = await a_person(running)
    with numbers(rate_person=Rate("3/60")):
        answers = [await asks(api, headers, str(patient.person.id)) for _ in range(5)]

        assert [one.status_code == 429 for one in answers] == [False] * 3 + [True] * 2
        refused = answers[-1]
        assert refused.json()["code"] == "too_often"
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert f"请 {refused.headers['retry-after']} 秒后再试" in refused.json()["detail"]

        moves_on(clock, seconds=int(refused.headers["retry-after"]))
        assert (await asks(api, headers, str(patient.person.id))).status_code != 429


async def test_a_device_is_slowed_down_whatever_account_it_uses(
    api: httpx.AsyncClient, running: Context
) -> None:
    device = {"x-device": new_device()}
    with numbers(rate_device=Rate("4/60")):
        statuses = []
        for resident in (PATIENT, DAUGHTER, OTHER):
            patient, headers = await a_person(running, resident)
            for _ in range(2):
                answer = await asks(api, headers | device, str(patient.person.id))
                statuses.append(answer.status_code == 429)

    assert statuses == [False] * 4 + [True] * 2


async def test_an_address_is_slowed_down_when_a_trusted_proxy_names_it(
    api: httpx.AsyncClient, running: Context
) -> None:
    patient, headers = await a_person(running)
    with numbers(rate_address=Rate("2/60"), trusted_proxies=("127.0.0.1",)):
        behind = [
            (await asks(api, headers | {"x-forwarded-for": place}, str(patient.person.id))).status_code == 429
            for place in ("203.0.113.9", "203.0.113.9", "203.0.113.9", "203.0.113.10")
        ]
    with numbers(rate_address=Rate("2/60")):
        unproven = [
            (
                await asks(api, headers | {"x-forwarded-for": "203.0.113.9"}, str(patient.person.id))
            ).status_code
            for _ in range(3)
        ]

    assert behind == [False, False, True, False]
    assert 429 not in unproven


async def test_without_valkey_everybody_may_ask(api: httpx.AsyncClient, running: Context) -> None:
    patient, headers = await a_person(running)
    running.redis = Redis.from_url("redis://127.0.0.1:1/0")
    with numbers(rate_person=Rate("1/60")):
        statuses = [(await asks(api, headers, str(patient.person.id))).status_code for _ in range(3)]

    assert 429 not in statuses


async def test_with_valkey_emptied_counting_begins_anew(api: httpx.AsyncClient, running: Context) -> None:
    patient, headers = await a_person(running)
    with numbers(rate_person=Rate("1/60")):
        await asks(api, headers, str(patient.person.id))
        await running.redis.flushdb()
        assert (await asks(api, headers, str(patient.person.id))).status_code != 429


def test_numbers_are_put_back() -> None:
    before = policy()
    with numbers(draw_seconds=before.draw_seconds + 1):
        assert policy().draw_seconds == before.draw_seconds + 1
        assert policy().open_days == before.open_days
    assert policy() is before
