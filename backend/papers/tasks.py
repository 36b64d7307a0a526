"""Papers that nobody needs go."""

from backend.context import Context
from backend.papers import service
from foundation.db.intents import Handler, Work


async def discard(work: Work[Context]) -> None:
    """A day has passed."""
    await service.discard(work.context, work.subject)


HANDLERS: dict[str, Handler] = {service.DISCARD: discard}
