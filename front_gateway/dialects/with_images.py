"""The hospital's main dialect, and beside it the image archive: which of the two answers what."""

from typing import Any

from contracts import his
from front_gateway.deadline import Deadline
from front_gateway.dialects import Dialect, Registered, Registry
from front_gateway.dialects.dicomweb.dialect import DicomwebDialect
from front_gateway.note import Note
from front_gateway.refusals import NotConnected
from front_gateway.upstream import Upstream


class WithImages:
    """`image-studies` and `image-frame` go to the archive behind `pacs`, everything else to `main`.

    Whose numbers are whose is for the main dialect to say, where it can (`Registry`); else the patient has the one she was asked by.
    """

    def __init__(self, main: Dialect, pacs: Upstream | None) -> None:
        self._main = main
        self._images = DicomwebDialect(pacs) if pacs is not None else None

    async def ready(self, deadline: Deadline) -> None:
        """The main dialect's: an archive that is down takes nothing else away."""
        await self._main.ready(deadline)

    async def answer(self, request: his.HisRequest, deadline: Deadline, note: Note) -> Any:
        """The reply of `request`'s operation."""
        if not isinstance(request, his.ImageStudies | his.ImageFrame):
            return await self._main.answer(request, deadline, note)
        if self._images is None:
            raise NotConnected
        person = Registered(request.patient_id, (request.patient_id,))
        if isinstance(self._main, Registry):
            person = await self._main.registered(request.patient_id, deadline, note)
        if isinstance(request, his.ImageStudies):
            return await self._images.studies(request, person, deadline, note)
        return await self._images.frame(request, person, deadline, note)
