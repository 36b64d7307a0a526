"""Single-use tickets that open a WebSocket: sixty seconds in Valkey, taken with GETDEL."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

import msgspec
from redis.asyncio import Redis

LIFE_SECONDS = 60


class Ticket(msgspec.Struct, frozen=True):
    """Who may open what."""

    purpose: str
    encounter_id: UUID
    participant_id: UUID
    role: str
    name: str
    node: str = ""
    """The media process it is for; elsewhere it opens nothing."""
    watches: str = ""
    """A supervisor's: whose picture and voice she gets, patient's or doctor's."""
    shown: bool = True
    """A supervisor's: whether both sides are told that somebody looks in."""
    until: datetime | None = None
    """A supervisor's: when her permission ends."""
    kind: str = ""
    """Of the actor: account, staff, platform. Nobody guesses it: a ticket without opens nothing."""


async def issue(redis: Redis, ticket: Ticket) -> str:
    """A new ticket's text."""
    text = secrets.token_urlsafe(24)
    await redis.set(_key(text), msgspec.json.encode(ticket), ex=LIFE_SECONDS)
    return text


async def take(redis: Redis, text: str, purpose: str) -> Ticket | None:
    """The ticket, used up; None when it is unknown, used, over, or for something else."""
    raw = await redis.getdel(_key(text)) if text else None
    if raw is None:
        return None
    ticket = msgspec.json.decode(raw, type=Ticket)
    return ticket if ticket.purpose == purpose else None


def _key(text: str) -> str:
    return f"ticket:{hashlib.sha256(text.encode()).hexdigest()}"
