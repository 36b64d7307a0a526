"""Whose phone is bound to a medical insurance credential: those with a part in the story, and the crowd."""

from collections.abc import Iterable, Mapping, Sequence
from random import Random

from standalone.people.shapes import DemoPerson, Insured

UNINSURED = ("patient_without_history",)
"""Parts whose bills are theirs alone."""
FIRST = 5_00
"""What the main patient has on her personal account, in fen: too little for a visit, so that she pays some of it in cash."""


def insured(
    parts: Mapping[str, DemoPerson | Sequence[DemoPerson]], crowd: Iterable[DemoPerson], random: Random
) -> list[Insured]:
    """Everybody with a phone of her own; the first patient is an employee, so that every kind of purse is shown."""
    found: dict[str, Insured] = {}
    for key, part in parts.items():
        for person in [part] if isinstance(part, DemoPerson) else part:
            if person.openid and key not in UNINSURED and person.openid not in found:
                found[person.openid] = _one(person, random)
    for person in crowd:
        found[person.openid] = _one(person, random)
    first = parts["patient"]
    assert isinstance(first, DemoPerson)
    found[first.openid] = Insured(first.openid, first.name, first.id_number, "employee", FIRST)
    return list(found.values())


def _one(person: DemoPerson, random: Random) -> Insured:
    employee = random.random() < 0.6
    account = random.randrange(0, random.choice((20_00, 3000_00)), 7) if employee else 0
    subsidised = random.random() < 0.08
    return Insured(
        person.openid,
        person.name,
        person.id_number,
        "employee" if employee else "resident",
        account,
        subsidised,
    )
