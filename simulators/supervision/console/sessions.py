"""Who is signed in: opaque tokens in memory, and a pause after wrong passwords."""

import hmac
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field

from simulators.server import Clock
from simulators.supervision.settings import Supervisor

COOKIE = "supervision_session"
LIFE_SECONDS = 8 * 3600
TRIES = 5
PAUSE_SECONDS = 300

_asking: ContextVar[Supervisor] = ContextVar("asking")


class LockedError(Exception):
    """Too many wrong passwords."""


@dataclass
class Sessions:
    supervisors: tuple[Supervisor, ...]
    clock: Clock
    _open: dict[str, tuple[float, Supervisor]] = field(default_factory=dict)
    _failures: list[float] = field(default_factory=list)

    def sign_in(self, login: str, password: str) -> str | None:
        """A token, or None when login or password are wrong. Raises LockedError."""
        now = self.clock.timestamp()
        self._failures = [at for at in self._failures if abs(now - at) < PAUSE_SECONDS]
        if len(self._failures) >= TRIES:
            raise LockedError
        right = [one for one in self.supervisors if _same(login, one.login) & _same(password, one.password)]
        if not right:
            self._failures.append(now)
            return None
        self._failures.clear()
        self._open = {token: one for token, one in self._open.items() if one[0] > now}
        token = secrets.token_urlsafe(32)
        self._open[token] = (now + LIFE_SECONDS, right[0])
        return token

    def whose(self, token: str | None) -> Supervisor | None:
        """The supervisor behind a token that is still good."""
        end, who = self._open.get(token or "", (0.0, None))
        return who if end > self.clock.timestamp() else None

    def end(self, token: str | None) -> None:
        if token is not None:
            self._open.pop(token, None)


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
