"""Jobs of the chat."""

from backend.chat import uploads
from backend.context import Context
from foundation.db.intents import Handler, Work


async def forget_upload(work: Work[Context]) -> None:
    """The pieces of an upload that arrived, was refused or was given up."""
    await uploads.forget(work.context, work.subject)


HANDLERS: dict[str, Handler] = {uploads.FORGET: forget_upload}
