"""Six digits can be guessed: after five wrong codes an account waits. Counted in Valkey; without it nobody is kept out."""

from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from foundation.errors import TooMany
from foundation.logs import log

GUESSES, SECONDS = 5, 600


async def may_guess(redis: Redis, account_id: UUID) -> None:
    """`TooMany` after the fifth wrong code within ten minutes."""
    try:
        wrong = int(await redis.get(_key(account_id)) or 0)
    except RedisError as error:
        log.warning("guesses_lost", error=str(error))
        return
    if wrong >= GUESSES:
        raise TooMany("授权码输错次数过多，请 10 分钟后再试", code="too_many_guesses", retry_after=SECONDS)


async def guessed_wrong(redis: Redis, account_id: UUID) -> None:
    """One more."""
    try:
        async with redis.pipeline() as pipe:
            pipe.incr(_key(account_id))
            pipe.expire(_key(account_id), SECONDS)
            await pipe.execute()
    except RedisError as error:
        log.warning("guesses_lost", error=str(error))


def _key(account_id: UUID) -> str:
    return f"guesses:grant:{account_id}"
