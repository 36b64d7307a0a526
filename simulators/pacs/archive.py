"""What lies in the archive: `imaging.json` of the world, as studies with UIDs of their own. A world without the file has none."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

_NAMESPACE = uuid.UUID("7d0f2f6e-3c1c-4c56-9d0a-5a0f3b8c1d11")


class WorldError(Exception):
    """The file cannot be used; the message fits one line."""


class SeriesRow(msgspec.Struct, frozen=True):
    description: str
    instances: int = 1
    frames: int = 1


class StudyRow(msgspec.Struct, frozen=True):
    """`patient` is the number that the study was filed under, perhaps a former one."""

    accession: str
    patient: str
    name: str
    day: str
    modality: str
    description: str
    series: list[SeriesRow]


@dataclass(frozen=True)
class Instance:
    uid: str
    number: int
    frames: int


@dataclass(frozen=True)
class Series:
    uid: str
    number: int
    description: str
    instances: tuple[Instance, ...]


@dataclass(frozen=True)
class Study:
    uid: str
    row: StudyRow
    series: tuple[Series, ...]


class Archive:
    """Studies by UID; everything is made when the process starts and never changes."""

    def __init__(self, rows: list[StudyRow]) -> None:
        made = [_study(row) for row in rows]
        self.studies = {study.uid: study for study in made}

    def of_patient(self, number: str) -> Iterator[Study]:
        return (study for study in self.studies.values() if study.row.patient == number)


def load(world: Path) -> Archive:
    path = world / "imaging.json"
    if not path.is_file():
        return Archive([])
    try:
        return Archive(msgspec.json.decode(path.read_bytes(), type=list[StudyRow]))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise WorldError(f"PACS_WORLD cannot be used: {path}: {problem}") from None


def _study(row: StudyRow) -> Study:
    uid = _uid(row.accession)
    series = tuple(
        Series(
            _uid(row.accession, place),
            place,
            part.description,
            tuple(
                Instance(_uid(row.accession, place, number), number, part.frames)
                for number in range(1, part.instances + 1)
            ),
        )
        for place, part in enumerate(row.series, 1)
    )
    return Study(uid, row, series)


def _uid(*parts: str | int) -> str:
    """2.25 is the root of UIDs made from UUIDs (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, '/'.join(map(str, parts))).int}"
