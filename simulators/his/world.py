"""The hospital's part of the generated world: `hospital departments staff residents drugs canaries`."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")


class WorldError(Exception):
    """The folder is no complete world; the message names the file and fits one line."""


class About(msgspec.Struct):
    seed: int
    size: str
    made_on: date
    residents: int
    files: dict[str, str]


class Hospital(msgspec.Struct):
    id: str
    code: str
    name: str
    address: str
    phone: str
    unified_social_credit_code: str


class Department(msgspec.Struct):
    code: str
    subject_code: str
    subject_name: str
    name: str


class Staff(msgspec.Struct):
    id: str
    role: str
    name: str
    sex: str
    title_code: str
    title_name: str
    licence_number: str
    departments: list[str]


class Drug(msgspec.Struct):
    code: str
    name: str
    strength: str
    form: str
    pack: str
    manufacturer: str
    price_fen: int
    stock: int


class Allergy(msgspec.Struct):
    code: str
    name: str
    group: str
    note: str = ""


class Diagnosis(msgspec.Struct):
    code: str
    name: str
    certainty: str
    rank: int


class PrescriptionItem(msgspec.Struct):
    drug: str
    name: str
    dose: float
    dose_unit: str
    frequency: str
    route: str
    days: int
    quantity: int
    unit: str


class Prescription(msgspec.Struct):
    id: str
    date: str
    doctor: str
    items: list[PrescriptionItem]
    note: str = ""


class ReportItem(msgspec.Struct):
    code: str
    name: str
    value: str
    unit: str = ""
    low: str = ""
    high: str = ""
    flag: str = ""
    loinc: str = ""


class Report(msgspec.Struct):
    id: str
    date: str
    panel: str
    name: str
    category: str
    conclusion: str
    items: list[ReportItem] = []


class Record(msgspec.Struct):
    chief_complaint: str
    present_history: str
    advice: str


class Visit(msgspec.Struct):
    id: str
    date: str
    department: str
    doctor: str
    diagnoses: list[Diagnosis]
    record: Record
    kind: str = "outpatient"
    status: str = "finished"
    discharged_on: str = ""
    prescriptions: list[Prescription] = []
    reports: list[Report] = []
    held_under: str = ""


class Contact(msgspec.Struct):
    name: str
    phone: str
    relation: str


class Resident(msgspec.Struct):
    id: str
    name: str
    sex: str
    birth_date: str
    id_number: str
    phone: str
    address: str
    allergies: list[Allergy] = []
    visits: list[Visit] = []
    contact: Contact | None = None
    former_ids: list[str] = []


class Canary(msgspec.Struct):
    token: str
    resident: str
    place: str


def about(folder: Path) -> About:
    return read(folder, "world.json", About)


def residents(folder: Path) -> Iterator[Resident]:
    """One at a time: a hundred thousand of them fill the memory. Raises WorldError."""
    decode = msgspec.json.Decoder(Resident).decode
    for place, raw in enumerate(read(folder, "residents.json", list[msgspec.Raw])):
        try:
            yield decode(raw)
        except msgspec.DecodeError as problem:
            raise WorldError(
                f"HIS_WORLD cannot be used: {folder / 'residents.json'}: entry {place}: {problem}"
            ) from None


def read(folder: Path, name: str, kind: type[T]) -> T:
    """One file, strictly typed. Raises WorldError."""
    path = folder / name
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise WorldError(f"HIS_WORLD cannot be used: {path}: {problem}") from None
