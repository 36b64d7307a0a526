"""Rates per account, person, device and address: one script, one round trip for all who ask at once; without Valkey everybody may ask.

Each key holds the moment up to which its allowance is spent (the generic cell rate algorithm): it fills evenly, lets a
burst of the whole allowance through, and a refused attempt costs nothing. Keys live as long as they mean something.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from backend.caller import address_of, device_of
from backend.edge import ApiCall
from backend.policy import Policy, Rate, policy
from foundation.db.sharing import shared
from foundation.db.unit_of_work import Database
from foundation.errors import TooOften
from foundation.logs import log

PATIENCE = 0.3
"""Seconds that a script waits for Valkey before those who asked go on without."""
MOST = 500
"""So many requests go with one script."""
REFUSED = Counter("booking_rate_refused", "Requests refused because a rate was exceeded", ["what", "by"])

SCRIPT = """
local place, answers = 0, {}
for who, asked in ipairs(cjson.decode(ARGV[1])) do
  local now, count = asked[1], (#asked - 1) / 2
  local refused, wait, spent = 0, 0, {}
  for i = 1, count do
    local most, window = asked[2 * i], asked[2 * i + 1]
    local until_ = tonumber(redis.call('GET', KEYS[place + i]) or now)
    if until_ < now then until_ = now end
    if until_ > now + window then until_ = now + window end
    spent[i] = until_ + window / most
    local over = spent[i] - now - window
    if over > 0.001 and over > wait then refused, wait = i, over end
  end
  if refused == 0 then
    for i = 1, count do redis.call('SET', KEYS[place + i], spent[i], 'PX', asked[2 * i + 1]) end
  end
  answers[2 * who - 1], answers[2 * who] = refused, math.ceil(wait)
  place = place + count
end
return answers
"""

WORDS = {
    "account": "操作太频繁", "person": "该就诊人的操作太频繁", "device": "本设备操作太频繁", "address": "当前网络的操作太频繁",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: when, by which keys, and (allowance, milliseconds) for each of them."""

    redis: Redis
    now: int
    keys: list[str]
    rates: list[int]


async def admit(call: ApiCall, what: str, person: UUID | None = None) -> None:
    """`TooOften` when the account, the person, the device or the address asked for `what` too often."""
    await _admit(call, what, _buckets(call, policy(), person))


async def admit_account(call: ApiCall, what: str, rate: Rate) -> None:
    """`TooOften` when the account asked for `what` more often than `rate`, whatever else it does."""
    assert call.actor.id is not None
    await _admit(call, what, [("account", call.actor.id.hex, rate)])


async def _admit(call: ApiCall, what: str, buckets: Sequence[tuple[str, str, Rate]]) -> None:
    keys: list[str] = []
    rates: list[int] = []
    named = []
    for by, key, rate in buckets:
        named.append(by)
        keys.append(f"rate:{what}:{by}:{key}")
        rates += [rate.most, rate.seconds * 1000]
    if not keys:
        return
    asked = _Asked(call.app.redis, int(call.clock.now().timestamp() * 1000), keys, rates)
    refused, wait = await shared(call.db, _ask, most=MOST).ask(asked)
    if refused:
        by, seconds = named[refused - 1], -(-int(wait) // 1000)
        REFUSED.labels(what, by).inc()
        raise TooOften(f"{WORDS[by]}，请 {seconds} 秒后再试", retry_after=seconds)


async def _ask(_: Database, asked: Sequence[_Asked]) -> Sequence[tuple[int, int]]:
    """One script for all who ask at the same time: which bucket refuses each (0: none), and for how many milliseconds."""
    keys = [key for one in asked for key in one.keys]
    told = msgspec.json.encode([[one.now, *one.rates] for one in asked]).decode()
    try:
        async with asyncio.timeout(PATIENCE):
            answer: Any = asked[0].redis.eval(SCRIPT, len(keys), *keys, told)
            flat = await answer
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("rates_lost", error=type(error).__name__, requests=len(asked))
        return [(0, 0)] * len(asked)
    return list(zip(flat[::2], flat[1::2], strict=True))


def _buckets(call: ApiCall, limits: Policy, person: UUID | None) -> list[tuple[str, str, Rate]]:
    """Who is counted, by what, at which rate; those without a limit or unknown are left out."""
    device = device_of(call.request)
    found = [
        ("account", call.actor.id.hex if call.actor.id else "", limits.rate_person),
        ("person", person.hex if person else "", limits.rate_person),
        ("device", device.hex if device else "", limits.rate_device),
        ("address", address_of(call.request, limits.trusted_proxies), limits.rate_address),
    ]
    return [(by, key, rate) for by, key, rate in found if key and rate.most]
