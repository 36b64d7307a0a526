"""What a person has to put right before WeChat Pay works again: clocks, keys, our own signature. No retry helps."""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from foundation.errors import Unavailable
from foundation.logs import log


class Trouble(StrEnum):
    """Kinds of trouble; each is at most one open alarm."""

    CLOCK = "wechat_pay_clock"
    SIGN_ERROR = "wechat_pay_sign_error"
    UNKNOWN_KEY = "wechat_pay_unknown_key"
    NOT_SIGNED = "wechat_pay_not_signed"
    NO_CERTIFICATE = "wechat_pay_no_certificate"


class NotBelieved(Unavailable):
    """WeChat Pay and we do not trust one another; what was asked is undecided and stays to be done."""

    code = Trouble.SIGN_ERROR.value


class Watch(Protocol):
    """Is told of troubles as often as they are seen, and when one was seen not to be any more."""

    async def raised(self, trouble: str, detail: str) -> None:
        """`detail` is for the person who puts it right, in Chinese."""

    async def over(self, trouble: str) -> None:
        """Whatever it was, it works again."""


class Logged:
    """A watch that only writes the log."""

    async def raised(self, trouble: str, detail: str) -> None:
        """One line."""
        log.error("trouble", trouble=trouble, detail=detail)

    async def over(self, trouble: str) -> None:
        """One line."""
        log.info("trouble_over", trouble=trouble)


REPEATED_AFTER = 60.0
"""Seconds before the watch is told of the same trouble again: it is seen with every call."""


@dataclass
class Troubles:
    """Remembers what this process has raised, so that only that is called over, and not raised with every call."""

    watch: Watch
    _raised: dict[Trouble, float] = field(default_factory=dict)

    async def seen(self, trouble: Trouble, detail: str) -> None:
        """It is there."""
        now = time.monotonic()
        if trouble not in self._raised or now - self._raised[trouble] > REPEATED_AFTER:
            self._raised[trouble] = now
            await self.watch.raised(trouble.value, detail)

    async def over(self, *troubles: Trouble) -> None:
        """These are not."""
        for trouble in troubles:
            if self._raised.pop(trouble, None) is not None:
                await self.watch.over(trouble.value)
