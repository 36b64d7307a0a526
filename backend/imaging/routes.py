"""Studies and pictures of a visit's patient."""

import re

from backend.edge import DOCTOR, PATIENT, ApiCall, ApiEndpoint, Family
from backend.encounter import queries as encounters
from backend.imaging import service
from backend.imaging.rules import Place
from backend.imaging.wire import FrameQuery, FrameView, StudiesView, frame_view, studies_view
from foundation.errors import NotFound
from foundation.web.endpoint import get

_STUDY = re.compile(r"[0-9a-f]{64}")


async def images(call: ApiCall) -> StudiesView:
    """Which studies the hospital has of this patient."""
    async with call.unit_of_work() as session:
        row = await encounters.visible(session, call.actor, call.id())
        person = await service.require_viewer(session, call.actor, row)
        private = await service.may_see_private(session, call.actor, person)
    reply = service.shown_studies(await service.studies(call.app, person), private=private)
    async with call.unit_of_work() as session:
        await service.report_list(session, call.actor, row, reply)
    return studies_view(reply)


async def image(call: ApiCall) -> FrameView:
    """One picture of a study."""
    study_id = str(call.request.path_params["study_id"])
    if not _STUDY.fullmatch(study_id):
        raise NotFound("没有找到这幅影像", code="image_not_found")
    async with call.unit_of_work() as session:
        row = await encounters.visible(session, call.actor, call.id())
        person = await service.require_viewer(session, call.actor, row)
        private = await service.may_see_private(session, call.actor, person)
    asked: FrameQuery = call.query
    at = Place(asked.series, asked.instance, asked.frame)
    reply = await service.frame(call.app, person, study_id, at, viewport=asked.viewport, window=asked.window)
    service.require_shown(reply, private=private)
    async with call.unit_of_work() as session:
        await service.note_picture(session, call.actor, row, reply)
    return frame_view(reply)


FAMILY = Family.ONLINE_TREATMENT
ENDPOINTS: list[ApiEndpoint] = [
    get("/encounters/{id}/images", images, reply=StudiesView, summary="院内影像检查", family=FAMILY,
        roles=[DOCTOR, PATIENT], transaction=False),
    get("/encounters/{id}/images/{study_id}", image, reply=FrameView, query=FrameQuery, summary="一幅影像",
        family=FAMILY, roles=[DOCTOR, PATIENT], transaction=False),
]  # fmt: skip
