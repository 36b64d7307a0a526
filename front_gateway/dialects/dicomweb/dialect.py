"""The operations about images."""

from contracts import his
from front_gateway.deadline import Deadline
from front_gateway.dialects import Who
from front_gateway.dialects.dicomweb import attributes as tags
from front_gateway.dialects.dicomweb.attributes import text, unusable
from front_gateway.dialects.dicomweb.client import PacsClient
from front_gateway.dialects.dicomweb.opened import Instance, Opened, Opener
from front_gateway.dialects.dicomweb.studies import StudyReader, is_hers
from front_gateway.note import Note
from front_gateway.refusals import ImageNotFound
from front_gateway.upstream import Upstream

MAX_REPLY = 3_000_000
"""Bytes of one answer of the archive, a picture or a page of entries."""


class DicomwebDialect:
    """Speaks to one archive about patients whose numbers somebody else has found out."""

    def __init__(self, upstream: Upstream) -> None:
        self._client = PacsClient(upstream)
        self._studies = StudyReader(self._client)
        self._opener = Opener(self._client)

    async def studies(
        self, request: his.ImageStudies, who: Who, deadline: Deadline, note: Note
    ) -> his.ImageStudiesReply:
        """Her studies since the day."""
        found = await self._studies.of(who, deadline, request.since)
        note.resources = len(found)
        return his.ImageStudiesReply([one.shown for one in found])

    async def frame(
        self, request: his.ImageFrame, who: Who, deadline: Deadline, note: Note
    ) -> his.ImageFrameReply:
        """One picture of hers, rendered by the archive."""
        opened = await self._opener.open(who, request.study_id, deadline)
        if request.series > len(opened.series):
            raise ImageNotFound
        series = opened.series[request.series - 1]
        instances = await self._opener.instances(who, opened.study, series, deadline)
        if request.instance > len(instances):
            raise ImageNotFound
        instance = instances[request.instance - 1]
        if request.frame > instance.frames:
            raise ImageNotFound
        path = f"/studies/{opened.study.uid}/series/{series.uid}/instances/{instance.uid}"
        await self._require_hers(path, instance, opened, who, deadline)
        media_type, content = await self._client.rendered(
            f"{path}/frames/{request.frame}", query_of(request, instance), deadline
        )
        note.resources = 1
        shown = opened.study.shown
        return his.ImageFrameReply(
            media_type=media_type,
            content=content,
            resource_hash=shown.resource_hash,
            day=shown.day,
            description=shown.description,
            series=request.series,
            series_count=len(opened.series),
            series_description=series.description,
            modality=series.modality,
            instance=request.instance,
            instance_count=len(instances),
            frame=request.frame,
            frame_count=instance.frames,
        )

    async def _require_hers(
        self, path: str, instance: Instance, opened: Opened, who: Who, deadline: Deadline
    ) -> None:
        """The picture itself is hers: by the list it stood in or, where that does not say, by its metadata."""
        if instance.named:
            return
        found = await self._client.metadata(path, deadline)
        if len(found) != 1 or text(found[0], tags.SOP_INSTANCE) != instance.uid:
            raise unusable("metadata of something else")
        if text(found[0], tags.STUDY) != opened.study.uid:
            raise unusable("an instance of another study")
        is_hers(found[0], who)


def query_of(request: his.ImageFrame, instance: Instance) -> str:
    """`viewport` only to make it smaller, in the picture's own proportions; commas as they are."""
    parts = []
    longer = max(instance.rows, instance.columns)
    if not longer:
        parts.append(f"viewport={request.viewport},{request.viewport}")
    elif longer > request.viewport:
        columns, rows = (
            max(1, side * request.viewport // longer) for side in (instance.columns, instance.rows)
        )
        parts.append(f"viewport={columns},{rows}")
    if request.window is not None:
        parts.append(f"window={request.window.center},{request.window.width},linear")
    return "&".join(parts)
