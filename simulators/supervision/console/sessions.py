"""Who is signed in: opaque tokens in memory, and a pause after wrong passwords."""

import hmac
import secrets
from dataclasses import dataclass, field

from simulators.server import Clock
from simulators.supervision.settings import Supervisor

COOKIE = "supervision_session"
LIFE_SECONDS = 8 * 3600
TRIES = 5
PAUSE_SECONDS = 300


class LockedError(Exception):
    """Too many wrong passwords."""


@dataclass
class Sessions:
    supervisor: Supervisor
    clock: Clock
    _ends: dict[str, float] = field(default_factory=dict)
    _failures: list[float] = field(default_factory=list)

    def sign_in(self, login: str, password: str) -> str | None:
        """A token, or None when login or password are wrong. Raises LockedError."""
        now = self.clock.timestamp()
        self._failures = [at for at in self._failures if abs(now - at) < PAUSE_SECONDS]
        if len(self._failures) >= TRIES:
            raise LockedError
        right = _same(login, self.supervisor.login) & _same(password, self.supervisor.password)
        if not right:
            self._failures.append(now)
            return None
        self._failures.clear()
        self._ends = {token: end for token, end in self._ends.items() if end > now}
        token = secrets.token_urlsafe(32)
        self._ends[token] = now + LIFE_SECONDS
        return token

    def is_open(self, token: str | None) -> bool:
        return token is not None and self._ends.get(token, 0) > self.clock.timestamp()

    def end(self, token: str | None) -> None:
        if token is not None:
            self._ends.pop(token, None)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())
