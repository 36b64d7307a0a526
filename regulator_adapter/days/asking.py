"""Asks the platform about a day, in the platform's own envelope: both statements, and the lines behind what differs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from foundation.errors import AppError, Unavailable
from foundation.ids import new_id
from foundation.logs import log
from regulator_adapter.city_client import CityClient, whole
from regulator_adapter.city_wire import seal
from regulator_adapter.days.rules import Line
from regulator_adapter.days.seals import Seal, seal_of
from regulator_adapter.profiles import Profile

EXCHANGE = "exchangeDay"
EXPLAIN = "explainDay"


class PlatformRefused(AppError):
    """The platform answered, and the answer was no."""

    status, code, title = 502, "platform_refused", "监管平台没有接受本次请求"


class _Inner(msgspec.Struct):
    msg_code: int = msgspec.field(name="msgCode")
    msg: str = ""
    statement: str = ""
    seal: Any = None
    lines: list[tuple[str, int, str, int, str, str]] = []
    more: bool = False


class _Answer(msgspec.Struct):
    code: int
    msg: str = ""
    body: _Inner | None = None


@dataclass(frozen=True)
class Theirs:
    """The platform's statement as the very text it sealed."""

    text: str
    seal: Seal


async def exchange(client: CityClient, profile: Profile, ours: str, our_seal: Seal) -> Theirs:
    """Our statement for theirs. `Unavailable`, `PlatformRefused`."""
    inner = await _ask(client, profile, EXCHANGE, {"statement": ours, "seal": msgspec.to_builtins(our_seal)})
    try:
        return Theirs(inner.statement, seal_of(inner.seal))
    except msgspec.ValidationError as error:
        raise PlatformRefused("监管平台的对账单没有签章") from error


async def explain(
    client: CityClient, profile: Profile, day: str, through: int, part: str
) -> AsyncIterator[Line]:
    """Every record that the platform has of one part of a day, by number."""
    after, more = 0, True
    while more:
        asked = {"day": day, "through": through, "part": part, "after": after}
        inner = await _ask(client, profile, EXPLAIN, asked)
        for stream, sequence, method, number, digest, receipt in inner.lines:
            yield Line(stream, sequence, method, number, bytes.fromhex(digest), receipt)
            after = max(after, number)
        more = inner.more and bool(inner.lines)


async def _ask(client: CityClient, profile: Profile, method: str, asked: dict[str, Any]) -> _Inner:
    """The inner answer of the first gateway that gives one."""
    for gateway in client.gateways:
        millis = int(client.clock.now().timestamp() * 1000)
        message = seal(
            [asked], client.credentials, service=profile.service, method=method, nonce=new_id(), millis=millis
        )
        assert client.session is not None
        try:
            async with client.session.post(
                gateway + profile.path, data=message.body, headers=message.headers, allow_redirects=False
            ) as response:
                body = await whole(response)
                if body is None:
                    raise PlatformRefused("监管平台的答复过大")
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("day_not_asked", gateway=gateway, error=type(error).__name__)
            continue
        if response.status == 200:
            return _read(body)
        log.warning("day_not_asked", gateway=gateway, status=response.status)
    raise Unavailable("监管平台或前置机没有应答，请稍后再试", retry_after=60)


def _read(body: bytes) -> _Inner:
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PlatformRefused("监管平台的答复无法识别") from error
    if answer.code != 200 or answer.body is None:
        raise PlatformRefused(f"监管平台：{answer.code} {answer.msg}"[:300])
    if answer.body.msg_code != 200:
        raise PlatformRefused(f"监管平台：{answer.body.msg_code} {answer.body.msg}"[:300])
    return answer.body
