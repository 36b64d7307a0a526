"""Rates per account, person, device and address: one script, one round trip; without Valkey everybody may ask.

Each key holds the moment up to which its allowance is spent (the generic cell rate algorithm): it fills evenly, lets a
burst of the whole allowance through, and a refused attempt costs nothing. Keys live as long as they mean something.
"""

import asyncio
from typing import Any
from uuid import UUID

from prometheus_client import Counter
from redis.exceptions import RedisError

from backend.caller import address_of, device_of
from backend.edge import ApiCall
from backend.policy import Policy, Rate, policy
from foundation.errors import TooOften
from foundation.logs import log

PATIENCE = 0.3
"""Seconds that a request waits for Valkey before it goes on without."""
REFUSED = Counter("booking_rate_refused", "Requests refused because a rate was exceeded", ["what", "by"])

SCRIPT = """
local now, refused, wait, spent = tonumber(ARGV[1]), 0, 0, {}
for i, key in ipairs(KEYS) do
  local most, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local until_ = tonumber(redis.call('GET', key) or now)
  if until_ < now then until_ = now end
  if until_ > now + window then until_ = now + window end
  spent[i] = until_ + window / most
  local over = spent[i] - now - window
  if over > 0.001 and over > wait then refused, wait = i, over end
end
if refused > 0 then return {refused, math.ceil(wait)} end
for i, key in ipairs(KEYS) do redis.call('SET', key, spent[i], 'PX', ARGV[2 * i + 1]) end
return {0, 0}
"""

WORDS = {
    "account": "操作太频繁", "person": "该就诊人的操作太频繁", "device": "本设备操作太频繁", "address": "当前网络的操作太频繁",
}  # fmt: skip


async def admit(call: ApiCall, what: str, person: UUID | None = None) -> None:
    """`TooOften` when the account, the person, the device or the address asked for `what` too often."""
    keys, arguments, named = [], [str(int(call.clock.now().timestamp() * 1000))], []
    for by, key, rate in _buckets(call, policy(), person):
        named.append(by)
        keys.append(f"rate:{what}:{by}:{key}")
        arguments += [str(rate.most), str(rate.seconds * 1000)]
    if not keys:
        return
    try:
        async with asyncio.timeout(PATIENCE):
            answer: Any = call.app.redis.eval(SCRIPT, len(keys), *keys, *arguments)
            refused, wait = await answer
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("rates_lost", error=type(error).__name__)
        return
    if refused:
        by, seconds = named[refused - 1], -(-int(wait) // 1000)
        REFUSED.labels(what, by).inc()
        raise TooOften(f"{WORDS[by]}，请 {seconds} 秒后再试", retry_after=seconds)


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
