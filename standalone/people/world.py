"""Writes the files of one world."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from standalone.people import catalogue
from standalone.people.canaries import Canaries
from standalone.people.demo import DemoMaker, staff_parts
from standalone.people.id_numbers import IdNumbers
from standalone.people.imaging import imaging, of_crowd
from standalone.people.insured import insured
from standalone.people.load_patients import LoadPatients
from standalone.people.many import CHUNK, Crowd, chunks
from standalone.people.residents import born, ordinary_residents
from standalone.people.shapes import DemoPerson, Resident, Staff
from standalone.people.staff import DEPARTMENTS, HOSPITAL, StaffMaker, ca_holders, doctors_by_department
from standalone.people.visits import VisitMaker

SIZES = {"s": 1_000, "m": 10_000, "l": 100_000, "xl": 1_000_000}
_ALONE = 100_000
"""So many residents are made one after the other; more by several processes at once."""
_MOST_PICKED = 5_000
DEFAULT_SEED = 20261122


def make_world(
    folder: Path,
    size: str = "m",
    seed: int = DEFAULT_SEED,
    *,
    today: date,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Write every file of docs/world.md into `folder`, which is made if need be.

    The same seed, size and day give the same bytes. `world.json` is written last: without it the folder is not ready.
    `say` is told how far it is. Raises ValueError for an unknown size.
    """
    if size not in SIZES:
        raise ValueError(f"size is {size!r}, expected one of {', '.join(SIZES)}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "world.json").unlink(missing_ok=True)
    files = _Files(folder)

    ids = IdNumbers(_stream(seed, "ids"))
    tables = catalogue.load()
    staff = StaffMaker(_stream(seed, "staff"), ids, today).everybody()
    visits = VisitMaker(_stream(seed, "visits"), tables, doctors_by_department(staff))
    demo = DemoMaker(_stream(seed, "demo"), ids, visits, today)
    demo.everybody()
    canaries = Canaries(_stream(seed, "canaries"))
    for resident in demo.residents:
        canaries.plant(resident)
    studies = imaging(demo.residents, canaries)

    files.write("hospital.json", HOSPITAL)
    files.write_rows("departments.json", DEPARTMENTS)
    files.write_rows("staff.json", staff)
    files.write_rows("drugs.json", _stock(tables, _stream(seed, "stock")))
    files.write_rows("ca_holders.json", ca_holders(staff, _stream(seed, "holders")))
    files.write_rows("canaries.json", canaries.planted)
    files.write("demo.json", {"demo": True, **demo.parts, **staff_parts(staff, _stream(seed, "supervisor"))})

    crowd = _Crowd(seed, today, demo.residents, SIZES[size] - len(demo.residents))
    picked = (
        _write_one_by_one(files, crowd, ids, visits, staff)
        if SIZES[size] <= _ALONE
        else _write_many(files, crowd, ids, staff, say)
    )
    files.write_rows("load_patients.json", picked)
    files.write_rows("imaging.json", [*studies, *of_crowd([*demo.ordinary, *picked])])
    files.write_rows("insured.json", insured(demo.parts, picked, _stream(seed, "insured")))
    files.write_rows("phones.json", [*demo.phones, *_staff_phones(staff), *map(_crowd_phone, picked)])
    files.write(
        "world.json",
        {
            "demo": True,
            "seed": seed,
            "size": size,
            "made_on": today,
            "residents": SIZES[size],
            "files": files.digests,
        },
    )


@dataclass(frozen=True)
class _Crowd:
    """Residents with a story, and how many more there are."""

    seed: int
    today: date
    told: list[Resident]
    number: int


def _write_one_by_one(
    files: "_Files", crowd: _Crowd, ids: IdNumbers, visits: VisitMaker, staff: list[Staff]
) -> list[DemoPerson]:
    """Residents and identities; gives those for load tests."""
    seed, today = crowd.seed, crowd.today
    ordinary = ordinary_residents(
        _stream(seed, "residents"), ids, visits, today, len(crowd.told) + 1, crowd.number
    )
    identities = [_identity(one) for one in staff]
    load = LoadPatients(_stream(seed, "load"), today, max((crowd.number + len(crowd.told)) // 20, 300))
    files.write_rows("residents.json", _noting(chain(crowd.told, load.look_at(ordinary)), identities))
    files.write_rows("identity.json", identities)
    return load.picked


def _write_many(
    files: "_Files", crowd: _Crowd, ids: IdNumbers, staff: list[Staff], say: Callable[[str], None]
) -> list[DemoPerson]:
    """The same for more than one process can make in good time."""
    random = _stream(crowd.seed, "residents")
    births = [born(random, ids, crowd.today) for _ in range(crowd.number)]
    total = len(crowd.told) + crowd.number
    say(f"{total} people are born")
    made = Crowd(
        crowd.seed, crowd.today, doctors_by_department(staff), len(crowd.told) + 1, births,
        max(1, _MOST_PICKED * CHUNK // total),
    )  # fmt: skip
    picked: list[DemoPerson] = []
    known: list[Resident | Staff] = [*staff, *crowd.told]
    identities = [files.encode(_identity(one)) for one in known]

    def rows() -> Iterator[bytes]:
        yield from map(files.encode, crowd.told)
        for place, chunk in enumerate(chunks(made), 1):
            identities.append(chunk.identities)
            picked.extend(chunk.picked)
            yield chunk.residents
            if place % 10 == 0:
                say(f"{min(place * CHUNK, total)} of {total} residents")

    files.write_encoded("residents.json", rows())
    files.write_encoded("identity.json", identities)
    return picked


def _identity(one: Resident | Staff) -> dict[str, str]:
    return {"name": one.name, "id_number": one.id_number}


def _stream(seed: int, name: str) -> Random:
    """A stream of its own for every part, so that a change in one does not shift the others."""
    return Random(f"{seed}/{name}")  # noqa: S311 - a world must be repeatable, not secret


def _noting(residents: Iterable[Resident], identities: list[dict[str, str]]) -> Iterator[Resident]:
    for one in residents:
        identities.append(_identity(one))
        yield one


def _staff_phones(staff: list[Staff]) -> list[dict[str, str]]:
    """Everybody at the hospital has a phone; only doctors and pharmacists are told apart by it."""
    return [
        {
            "openid": one.openid,
            "unionid": one.unionid,
            "phone": one.phone,
            "owner_name": one.name,
            "label": f"{one.name} {one.title_name or one.role}",
            "role": one.role,
        }
        for one in staff
    ]


def _crowd_phone(patient: DemoPerson) -> dict[str, str]:
    """The phone of one of the many patients that load tests play; no screen offers to pick it up."""
    return {
        "openid": patient.openid, "phone": patient.phone, "owner_name": patient.name, "label": patient.note,
        "role": "crowd",
    }  # fmt: skip


def _stock(tables: catalogue.Catalogue, random: Random) -> list[dict[str, Any]]:
    """The drug list as the hospital's pharmacy keeps it; one drug is sold out."""
    return [
        {
            "code": drug.code,
            "name": drug.name,
            "strength": drug.strength,
            "form": drug.form,
            "pack": f"{drug.pack_size}{drug.unit}/{drug.pack_unit}",
            "manufacturer": drug.manufacturer,
            "price_fen": drug.price_fen,
            "stock": 0 if drug.name == "卡泊三醇软膏" else random.randrange(50, 2_000),
        }
        for drug in tables.drugs.values()
    ]


class _Files:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.encode = msgspec.json.Encoder().encode
        self.digests: dict[str, str] = {}

    def write(self, name: str, value: object) -> None:
        self._save(name, [msgspec.json.format(self.encode(value), indent=2), b"\n"])

    def write_rows(self, name: str, rows: Iterable[object]) -> None:
        """A JSON array with one entry a line."""
        self.write_encoded(name, map(self.encode, rows))

    def write_encoded(self, name: str, rows: Iterable[bytes]) -> None:
        """The same of entries that are bytes already; several in one may be joined by comma and line end."""
        self._save(name, chain([b"[\n"], _joined(rows), [b"\n]\n"]))

    def _save(self, name: str, parts: Iterable[bytes]) -> None:
        digest = hashlib.sha256()
        with (self._folder / name).open("wb") as file:
            for part in parts:
                digest.update(part)
                file.write(part)
        self.digests[name] = digest.hexdigest()


def _joined(rows: Iterable[bytes]) -> Iterator[bytes]:
    for place, row in enumerate(rows):
        yield b",\n" + row if place else row
