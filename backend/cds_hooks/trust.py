"""Who may call: a JWT of a known issuer for this very address, short-lived, used once. Everything else is refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from foundation.clock import Clock
from foundation.errors import Unauthenticated, Unavailable

ALGORITHMS = ("ES384", "ES256", "RS384")
LONGEST_LIFE, SKEW = 300, 30


class Issuer(msgspec.Struct, frozen=True):
    """One who may call, with the public keys of her tokens."""

    iss: str
    jwks: dict[str, Any]


class Issuers(msgspec.Struct, frozen=True):
    """The file of the settings."""

    issuers: list[Issuer]


def load(file: Path | None) -> Mapping[str, jwt.PyJWKSet]:
    """Keys by issuer; nobody without a file. `msgspec.MsgspecError` or `jwt.PyJWKSetError` for a wrong one."""
    if file is None:
        return {}
    read = msgspec.json.decode(file.read_bytes(), type=Issuers)
    return {one.iss: jwt.PyJWKSet.from_dict(one.jwks) for one in read.issuers}


async def caller(
    header: str, audience: str, known: Mapping[str, jwt.PyJWKSet], clock: Clock, redis: Redis
) -> str:
    """The issuer of the bearer token; `Unauthenticated` for whatever is wrong, without saying what."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token or not known:
        raise _refused()
    claims = _claims(token, audience, known, clock.timestamp())
    key = f"cds:jti:{claims['iss']}:{claims['jti']}"
    try:
        fresh = await redis.set(key, b"1", ex=LONGEST_LIFE + 2 * SKEW, nx=True)
    except RedisError as error:  # a token that may have been used before is not let in
        raise Unavailable("暂时无法核对令牌", code="token_not_checked") from error
    if not fresh:
        raise _refused()
    return str(claims["iss"])


def _claims(token: str, audience: str, known: Mapping[str, jwt.PyJWKSet], now: int) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
        unverified = jwt.decode(token, options={"verify_signature": False})
        keys = known[str(unverified["iss"])]
        key = next(one for one in keys.keys if one.key_id == header.get("kid"))
        claims: dict[str, Any] = jwt.decode(
            token, key.key, algorithms=list(ALGORITHMS), audience=audience,
            options={"require": ["iss", "aud", "exp", "iat", "jti"], "verify_exp": False, "verify_iat": False},
        )  # fmt: skip
        issued, expires = int(claims["iat"]), int(claims["exp"])
    except (jwt.PyJWTError, KeyError, StopIteration, ValueError, TypeError) as error:
        raise _refused() from error
    timely = issued <= now + SKEW and now < expires + SKEW and 0 < expires - issued <= LONGEST_LIFE
    if not timely or not 8 <= len(str(claims["jti"])) <= 100:
        raise _refused()
    return claims


def _refused() -> Unauthenticated:
    return Unauthenticated("令牌无效", code="bad_token")
