"""How long and how much the listener waits for. Tests make them short; nobody needs other ones in production."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds, and how many connections at once. `head` and `body` count from their first byte to their last, however
    steadily drops come; `write` is for a caller who does not take an answer."""

    handshake: float = 10.0
    idle: float = 20.0
    head: float = 10.0
    body: float = 10.0
    write: float = 20.0
    linger: float = 2.0
    connections: int = 2_000
