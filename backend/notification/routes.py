"""The call list's one verb."""

import msgspec

from backend.edge import CLERK, DUTY_DESK, ApiCall, ApiEndpoint, Family
from backend.notification import service
from backend.notification.model import Message
from foundation.errors import NotFound
from foundation.web.endpoint import act


class Called(msgspec.Struct, frozen=True):
    """It was done."""

    done: bool


async def called(call: ApiCall) -> Called:
    """Somebody rang the person up."""
    if await call.session.get(Message, call.id()) is None:
        raise NotFound("没有找到该通知")
    await service.called(call.session, call.actor, call.id())
    return Called(True)


ENDPOINTS: list[ApiEndpoint] = [
    act("POST", "/notices/{id}/called", called, reply=Called, summary="已电话通知", family=Family.PATIENT_MANAGEMENT,
        roles=[CLERK, DUTY_DESK]),
]  # fmt: skip
