"""The hospital's main dialect, and beside it the image archive: which of the two answers what."""

from typing import Any

from contracts import his
from front_gateway.deadline import Deadline
from front_gateway.dialects import Dialect, Main
from front_gateway.dialects.dicomweb.dialect import DicomwebDialect
from front_gateway.dialects.hashes import resource_hash
from front_gateway.note import Note
from front_gateway.refusals import NotConnected
from front_gateway.upstream import Upstream


class WithImages:
    """`image-studies` and `image-frame` go to the archive behind `pacs`, everything else to `main`.

    Whose numbers are whose is for `registry` to say.
    """

    def __init__(self, main: Dialect, pacs: Upstream | None, *, registry: Main) -> None:
        self._main = main
        self._registry = registry
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
        who = await self._registry.who(request.patient_id, deadline, fresh=False)
        note.subject = resource_hash("Patient", who.patient_id)
        if isinstance(request, his.ImageStudies):
            return await self._images.studies(request, who, deadline, note)
        return await self._images.frame(request, who, deadline, note)
