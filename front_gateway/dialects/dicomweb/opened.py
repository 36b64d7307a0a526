"""A study that somebody pages through: what it consists of, read once and remembered for a minute (in memory, no pictures)."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from front_gateway.deadline import Deadline
from front_gateway.dialects import Who
from front_gateway.dialects.dicomweb import attributes as tags
from front_gateway.dialects.dicomweb.attributes import Attributes, number, text, unusable
from front_gateway.dialects.dicomweb.client import PacsClient
from front_gateway.dialects.dicomweb.studies import Study, StudyReader, is_hers

REMEMBERED = 64
REMEMBERED_SECONDS = 60.0
WITHOUT_PICTURES = frozenset(
    {
        "SR",
        "PR",
        "KO",
        "DOC",
        "PLAN",
        "REG",
        "FID",
        "AU",
        "ECG",
        "HD",
        "SEG",
        "RTSTRUCT",
        "RTPLAN",
        "RTRECORD",
    }
)
"""Series of reports, marks and curves."""
_IN_INSTANCES = "PatientID,NumberOfFrames,Rows,Columns"


@dataclass(frozen=True, slots=True)
class Instance:
    """`named`: the archive has said whose it is."""

    uid: str
    frames: int
    rows: int
    columns: int
    named: bool


@dataclass
class Series:
    """`instances` are read when somebody looks."""

    uid: str
    modality: str
    description: str
    instances: Sequence[Instance] | None = None


@dataclass
class Opened:
    """A study with its series."""

    study: Study
    series: Sequence[Series]
    until: float = field(default_factory=lambda: monotonic() + REMEMBERED_SECONDS)


class Opener:
    """Opens studies of a patient: the numbers she has are part of what is remembered, so nobody is given another's."""

    def __init__(self, client: PacsClient) -> None:
        self._client = client
        self._studies = StudyReader(client)
        self._remembered: OrderedDict[tuple[tuple[str, ...], str], Opened] = OrderedDict()

    async def open(self, who: Who, study_id: str, deadline: Deadline) -> Opened:
        """The study of hers with this id; `ImageNotFound` when she has none."""
        key = (who.numbers, study_id)
        known = self._remembered.get(key)
        if known is not None and monotonic() < known.until:
            return known
        study = await self._studies.one(who, study_id, deadline)
        opened = Opened(study, await self._series(who, study, deadline))
        self._remembered[key] = opened
        self._remembered.move_to_end(key)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return opened

    async def instances(
        self, who: Who, study: Study, series: Series, deadline: Deadline
    ) -> Sequence[Instance]:
        """In the order of their numbers."""
        if series.instances is None:
            path = f"/studies/{study.uid}/series/{series.uid}/instances"
            query = [("includefield", _IN_INSTANCES)]
            found = await self._client.search(path, query, tags.SOP_INSTANCE, deadline)
            _all_of(found, tags.SERIES, series.uid)
            ordered = sorted(found, key=lambda one: _order(one, tags.INSTANCE_NUMBER, tags.SOP_INSTANCE))
            series.instances = [_instance(one, who) for one in ordered]
        return series.instances

    async def _series(self, who: Who, study: Study, deadline: Deadline) -> list[Series]:
        query = [("includefield", "SeriesDescription")]
        found = await self._client.search(f"/studies/{study.uid}/series", query, tags.SERIES, deadline)
        _all_of(found, tags.STUDY, study.uid)
        for one in found:
            if text(one, tags.PATIENT_ID):
                is_hers(one, who)
        ordered = sorted(found, key=lambda one: _order(one, tags.SERIES_NUMBER, tags.SERIES))
        return [
            Series(text(one, tags.SERIES), text(one, tags.MODALITY), text(one, tags.SERIES_DESCRIPTION))
            for one in ordered
            if text(one, tags.MODALITY) not in WITHOUT_PICTURES
        ]


def _instance(entry: Attributes, who: Who) -> Instance:
    named = bool(text(entry, tags.PATIENT_ID))
    if named:
        is_hers(entry, who)
    return Instance(
        text(entry, tags.SOP_INSTANCE),
        frames=max(1, number(entry, tags.FRAMES) or 1),
        rows=max(0, number(entry, tags.ROWS) or 0),
        columns=max(0, number(entry, tags.COLUMNS) or 0),
        named=named,
    )


def _all_of(found: Sequence[Attributes], tag: str, uid: str) -> None:
    """What was asked for inside one study or series lies there, where the archive says where it lies."""
    if any((named := text(one, tag)) and named != uid for one in found):
        raise unusable("entries of something else")


def _order(entry: Attributes, count: str, uid: str) -> tuple[int, str]:
    found = number(entry, count)
    return (1_000_000_000 if found is None else found, text(entry, uid))
