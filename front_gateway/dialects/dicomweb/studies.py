"""Which studies a patient has. Every entry is held against her numbers."""

from dataclasses import dataclass
from datetime import date

from contracts.his import ImageStudy
from front_gateway.deadline import Deadline
from front_gateway.dialects import Who
from front_gateway.dialects.dicomweb import attributes as tags
from front_gateway.dialects.dicomweb.attributes import Attributes, day, number, text, texts
from front_gateway.dialects.dicomweb.client import PLAIN, PacsClient
from front_gateway.dialects.hashes import resource_hash
from front_gateway.refusals import ImageNotFound, WrongSubject

_WANTED = "StudyDescription,ModalitiesInStudy,NumberOfStudyRelatedSeries,NumberOfStudyRelatedInstances"


@dataclass(frozen=True, slots=True)
class Study:
    """A study as it may leave, and its UID, which does not."""

    uid: str
    shown: ImageStudy


class StudyReader:
    """Finds studies by each of a patient's numbers: archives keep former ones for years."""

    def __init__(self, client: PacsClient) -> None:
        self._client = client

    async def of(self, who: Who, deadline: Deadline, since: date | None = None) -> list[Study]:
        """Newest first."""
        found: dict[str, Study] = {}
        for asked in who.numbers:
            if not PLAIN.fullmatch(asked):
                continue  # it could only be asked for by encoding or as a wildcard
            query = [("PatientID", asked), ("includefield", _WANTED)]
            if since is not None:
                query.append(("StudyDate", f"{since:%Y%m%d}-"))
            for entry in await self._client.search("/studies", query, tags.STUDY, deadline):
                if is_hers(entry, who, searched=True):
                    study = _study(entry)
                    found[study.uid] = study
        wanted = [
            one
            for one in found.values()
            if since is None or (one.shown.day is not None and one.shown.day >= since)
        ]
        return sorted(wanted, key=lambda one: (one.shown.day or date.min, one.uid), reverse=True)

    async def one(self, who: Who, study_id: str, deadline: Deadline) -> Study:
        """The study of hers that bears this id; `ImageNotFound` for anything else."""
        for study in await self.of(who, deadline):
            if study.shown.study_id == study_id:
                return study
        raise ImageNotFound


def is_hers(entry: Attributes, who: Who, *, searched: bool = False) -> bool:
    """`WrongSubject` for anybody else's entry; False for a search's entry whose number differs from hers in case alone."""
    found = text(entry, tags.PATIENT_ID)
    if found in who.numbers:
        return True
    if searched and found.casefold() in {one.casefold() for one in who.numbers}:
        return False
    raise WrongSubject(resource_hash("ImagingStudy", text(entry, tags.STUDY)))


def _study(entry: Attributes) -> Study:
    uid = text(entry, tags.STUDY)
    digest = resource_hash("ImagingStudy", uid)
    modalities = dict.fromkeys(texts(entry, tags.MODALITIES_IN_STUDY) or texts(entry, tags.MODALITY))
    shown = ImageStudy(
        study_id=digest,
        resource_hash=digest,
        day=day(entry, tags.STUDY_DATE),
        modality="/".join(modalities),
        description=text(entry, tags.STUDY_DESCRIPTION),
        accession_number=text(entry, tags.ACCESSION_NUMBER),
        series=max(0, number(entry, tags.STUDY_SERIES) or 0),
        instances=max(0, number(entry, tags.STUDY_INSTANCES) or 0),
    )
    return Study(uid, shown)
