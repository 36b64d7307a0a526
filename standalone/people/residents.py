"""Ordinary residents: who they are, what they have, when they came."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from standalone.people.age_pyramid import age_on, draw
from standalone.people.catalogue import OLDEST, DiagnosisRow
from standalone.people.id_numbers import IdNumbers
from standalone.people.names import address, full_name
from standalone.people.phones import resident_phone
from standalone.people.shapes import Allergy, Contact, Resident, Visit
from standalone.people.visits import VisitMaker, stay

ALLERGIES = (
    Allergy("penicillin", "青霉素类过敏", "penicillin"),
    Allergy("cephalosporin", "头孢菌素类过敏", "cephalosporin"),
    Allergy("sulfonamide", "磺胺类过敏", "sulfonamide_antibacterial"),
    Allergy("nsaid", "解热镇痛药过敏", "nsaid"),
    Allergy("iodine_contrast", "碘造影剂过敏", "iodine_contrast"),
    Allergy("seafood", "海鲜过敏", ""),
)
_VISITS_A_YEAR = ((6, 2.5), (18, 0.8), (40, 0.8), (60, 1.3), (75, 2.6), (OLDEST + 1, 3.2))
_HISTORY_DAYS = 365


def ordinary_residents(
    random: Random, ids: IdNumbers, visits: VisitMaker, today: date, first: int, number: int
) -> Iterator[Resident]:
    for place in range(first, first + number):
        yield resident(random, visits, today, place, *born(random, ids, today))


def born(random: Random, ids: IdNumbers, today: date) -> tuple[date, str, str]:
    """Birth date, sex and id number of somebody new."""
    id_number = None
    while id_number is None:
        birth_date, sex = draw(random, today)
        id_number = ids.new(birth_date, sex)
    return birth_date, sex, id_number


def resident_id(place: int) -> str:
    return f"P{place:07d}"


def resident(
    random: Random, visits: VisitMaker, today: date, place: int, birth_date: date, sex: str, id_number: str
) -> Resident:
    """The one in this place of the register, with all that happened."""
    age = age_on(birth_date, today)
    name = full_name(random, sex, age)
    phone = resident_phone(place)
    conditions = [row for share, row in visits.catalogue.chronic[(age, sex)] if random.random() < share]
    one = Resident(
        id=resident_id(place),
        name=name,
        sex=sex,
        birth_date=birth_date,
        id_number=id_number,
        phone=phone,
        address=address(random),
        conditions=list(dict.fromkeys(row.code for row in conditions)),
        visits=_history(random, visits, today, age, sex, birth_date, conditions),
    )
    if random.random() < 0.06:
        one.allergies = [ALLERGIES[int(random.random() * len(ALLERGIES))]]
    if age < 14:
        parent = "1" if random.random() < 0.4 else "2"
        given = full_name(random, parent, 35)[-2:]
        one.contact = Contact(name[0] + given, phone, "父" if parent == "1" else "母")
    if one.visits and random.random() < 0.004:
        _file_under_former_number(one, place)
    return one


def _file_under_former_number(resident: Resident, place: int) -> None:
    """The hospital once gave a second number, and has merged it since; old visits stayed where they were."""
    former = f"P9{place:06d}"
    resident.former_ids = [former]
    resident.visits[0].held_under = former


def _history(
    random: Random,
    visits: VisitMaker,
    today: date,
    age: int,
    sex: str,
    birth_date: date,
    conditions: list[DiagnosisRow],
) -> list[Visit]:
    rate = next(value for limit, value in _VISITS_A_YEAR if age < limit)
    if conditions:
        rate *= 1.3
    days = min(_HISTORY_DAYS, (today - birth_date).days)
    made = []
    for _ in range(_how_many(random, rate)):
        # more of them lately: the square of a uniform number leans to zero
        back = int(random.random() ** 2 * days)
        visit = _visit(random, visits, today - timedelta(days=back), age, sex, conditions)
        if visit is None:
            break
        if age >= 50 and visit.department in {"0310", "0403"} and random.random() < 0.03:
            stay(visit, 3 + int(random.random() * 10), today)
        elif random.random() < 0.015:
            visit.status, visit.prescriptions, visit.reports = "cancelled", [], []
        made.append(visit)
    return sorted(made, key=lambda one: (one.date, one.id))


def _how_many(random: Random, rate: float) -> int:
    """Roughly a Poisson number: geometric gaps within a year."""
    number, passed = 0, random.expovariate(rate)
    while passed < 1 and number < 12:
        number += 1
        passed += random.expovariate(rate)
    return number


def _visit(
    random: Random, visits: VisitMaker, day: date, age: int, sex: str, conditions: list[DiagnosisRow]
) -> Visit | None:
    if conditions and random.random() < 0.7:
        main = conditions[int(random.random() * len(conditions))]
        others = [
            row
            for row in conditions
            if row is not main and row.department == main.department and random.random() < 0.5
        ]
        return visits.make([main, *others[:2]], day)
    acute = visits.catalogue.acute[(age, sex)].draw(random)
    if acute is None:
        return None
    visit = visits.make([acute], day, certainty="suspected" if random.random() < 0.06 else "confirmed")
    if random.random() < 0.01:  # some doctors write words and choose no code
        visit.diagnoses[0].code = ""
    return visit
