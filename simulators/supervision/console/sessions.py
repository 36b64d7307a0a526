"""Who is signed in: opaque tokens in memory, and a pause after wrong passwords.

Wrong passwords are counted for each login by itself, so that nobody locks anybody else out and nobody's success covers another one's tries.
Logins that are none of ours are counted in the same way, and all of them together: beyond `STRANGERS` they are turned away unread. So memory
is bounded and the trail cannot be flooded from outside, while she who knows her password still comes in.
"""

import hashlib
import hmac
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum

from simulators.server import Clock
from simulators.supervision.settings import Supervisor

COOKIE = "supervision_session"
LIFE_SECONDS = 8 * 3600
TRIES = 5
STRANGERS = 30
"""Failures of logins that are none of ours, all together, in one pause."""
PAUSE_SECONDS = 300
STRANGER = Supervisor("", "（未知账号）", "")
"""What was typed is not kept: it may be a password."""

_asking: ContextVar[Supervisor] = ContextVar("asking")


class Outcome(StrEnum):
    """`LOCKED` with this very try, `PAUSED` since an earlier one: the password was not looked at."""

    IN = "in"
    WRONG = "wrong"
    LOCKED = "locked"
    PAUSED = "paused"


@dataclass(frozen=True)
class Tried:
    outcome: Outcome
    who: Supervisor
    token: str = field(default="", repr=False)


@dataclass
class Sessions:
    supervisors: tuple[Supervisor, ...]
    clock: Clock
    _open: dict[str, tuple[float, Supervisor]] = field(default_factory=dict)
    _failures: dict[str, list[float]] = field(default_factory=dict)

    def sign_in(self, login: str, password: str) -> Tried:
        """What came of it. No await between looking at the failures and adding one: tries at once count one by one."""
        now = self.clock.timestamp()
        who = next((one for one in self.supervisors if _same(login, one.login)), STRANGER)
        key = who.login or hashlib.sha256(login.encode("utf-8", "replace")).hexdigest()
        right = _same(password, who.password) and who is not STRANGER
        tries = self._recent(now).get(key, [])
        if len(tries) >= TRIES or (who is STRANGER and self._strangers() >= STRANGERS):
            return Tried(Outcome.PAUSED, who)
        if not right:
            self._failures[key] = [*tries, now]
            return Tried(Outcome.LOCKED if len(tries) + 1 == TRIES else Outcome.WRONG, who)
        self._failures.pop(key, None)
        self._open = {token: one for token, one in self._open.items() if one[0] > now}
        token = secrets.token_urlsafe(32)
        self._open[token] = (now + LIFE_SECONDS, who)
        return Tried(Outcome.IN, who, token)

    def _recent(self, now: float) -> dict[str, list[float]]:
        """Failures of this pause, by login; older ones are forgotten."""
        kept = {
            key: [at for at in times if abs(now - at) < PAUSE_SECONDS]
            for key, times in self._failures.items()
        }
        self._failures = {key: times for key, times in kept.items() if times}
        return self._failures

    def _strangers(self) -> int:
        ours = {one.login for one in self.supervisors}
        return sum(len(times) for key, times in self._failures.items() if key not in ours)

    def whose(self, token: str | None) -> Supervisor | None:
        """The supervisor behind a token that is still good."""
        end, who = self._open.get(token or "", (0.0, None))
        return who if end > self.clock.timestamp() else None

    def end(self, token: str | None) -> Supervisor | None:
        """Whose it was, if it was still good."""
        who = self.whose(token)
        self._open.pop(token or "", None)
        return who


def enter(who: Supervisor) -> None:
    """From here on this request is hers."""
    _asking.set(who)


def asking() -> Supervisor:
    """Whose request this is; only behind the login."""
    return _asking.get()


def anybody() -> Supervisor | None:
    """The same, where nobody may have signed in."""
    return _asking.get(None)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())
