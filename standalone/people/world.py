"""Writes the files of one world."""

import hashlib
from collections.abc import Iterable, Iterator
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
from standalone.people.residents import ordinary_residents
from standalone.people.shapes import DemoPerson, Resident, Staff
from standalone.people.staff import DEPARTMENTS, HOSPITAL, StaffMaker, ca_holders, doctors_by_department
from standalone.people.visits import VisitMaker

SIZES = {"s": 1_000, "m": 10_000, "l": 100_000}
DEFAULT_SEED = 20261122


def make_world(folder: Path, size: str = "m", seed: int = DEFAULT_SEED, *, today: date) -> None:
    """Write every file of docs/world.md into `folder`, which is made if need be.

    The same seed, size and day give the same bytes. `world.json` is written last: without it the folder is not ready.
    Raises ValueError for an unknown size.
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

    first = len(demo.residents) + 1
    ordinary = ordinary_residents(
        _stream(seed, "residents"), ids, visits, today, first, SIZES[size] - len(demo.residents)
    )
    identities = [{"name": one.name, "id_number": one.id_number} for one in staff]
    load = LoadPatients(_stream(seed, "load"), today, max(SIZES[size] // 20, 300))
    files.write_rows("residents.json", _noting(chain(demo.residents, load.look_at(ordinary)), identities))
    files.write_rows("load_patients.json", load.picked)
    files.write_rows("imaging.json", [*studies, *of_crowd([*demo.ordinary, *load.picked])])
    files.write_rows("insured.json", insured(demo.parts, load.picked, _stream(seed, "insured")))
    files.write_rows("phones.json", [*demo.phones, *_staff_phones(staff), *map(_crowd_phone, load.picked)])
    files.write_rows("identity.json", identities)
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


def _stream(seed: int, name: str) -> Random:
    """A stream of its own for every part, so that a change in one does not shift the others."""
    return Random(f"{seed}/{name}")  # noqa: S311 - a world must be repeatable, not secret


def _noting(residents: Iterable[Resident], identities: list[dict[str, str]]) -> Iterator[Resident]:
    for one in residents:
        identities.append({"name": one.name, "id_number": one.id_number})
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
        self._encoder = msgspec.json.Encoder()
        self.digests: dict[str, str] = {}

    def write(self, name: str, value: object) -> None:
        self._save(name, [msgspec.json.format(self._encoder.encode(value), indent=2), b"\n"])

    def write_rows(self, name: str, rows: Iterable[object]) -> None:
        """A JSON array with one entry a line."""
        encode = self._encoder.encode
        self._save(name, chain([b"[\n"], _joined(encode(row) for row in rows), [b"\n]\n"]))

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
