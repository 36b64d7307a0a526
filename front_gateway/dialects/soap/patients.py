"""Who a patient is: by card and name, with merged and doubled numbers followed.

Who was found is remembered for a short while (`remembered`). Writes always ask again.
"""

import re
from dataclasses import dataclass

from contracts.his import Patient as PatientReply
from front_gateway.deadline import Deadline
from front_gateway.dialects import Who
from front_gateway.dialects.names import plain_name
from front_gateway.dialects.remembered import Remembered
from front_gateway.dialects.soap.client import SoapClient
from front_gateway.dialects.soap.rows import Row, unusable
from front_gateway.refusals import PatientNotFound

NUMBER = re.compile(r"[A-Za-z0-9._-]{1,64}")
MAX_NUMBERS = 10
"""Numbers of one person beyond this are a mistake in the hospital's data."""


@dataclass(frozen=True)
class Person:
    """`numbers` are all registrations, the one that counts today first."""

    numbers: tuple[str, ...]

    @property
    def main(self) -> str:
        """The number that may be written to, and is the id for callers."""
        return self.numbers[0]


Found = tuple[Person, Row]
"""A person, and the row that counts."""


class Patients:
    """Finds persons."""

    def __init__(self, client: SoapClient) -> None:
        self._client = client
        self._remembered: Remembered[Found] = Remembered()

    async def by_card(self, number: str, name: str, deadline: Deadline) -> Found | None:
        """The person with this id number under this name; None when there is none."""
        found = await self._bearing(number, name, deadline)
        return await self._followed(found, deadline) if found else None

    async def by_number(self, patient_no: str, deadline: Deadline, *, fresh: bool) -> Person:
        """The person with the number `patient_no`, asked again when `fresh`; `PatientNotFound` for nobody."""
        return (await self._with_number(patient_no, deadline, fresh=fresh))[0]

    async def who(self, patient_no: str, deadline: Deadline, *, fresh: bool) -> Who:
        """The same person for the systems beside the HIS, which know her by the same numbers."""
        person, row = await self._with_number(patient_no, deadline, fresh=fresh)
        name = row.text("patient_name")
        reply = as_reply(person, row, name)
        return Who(
            person.main, person.numbers, name, frozenset({plain_name(name)}), reply.sex, reply.birth_date
        )

    async def _with_number(self, patient_no: str, deadline: Deadline, *, fresh: bool) -> Found:
        if not NUMBER.fullmatch(patient_no):
            raise PatientNotFound
        if not fresh and (known := self._remembered.get(patient_no)):
            return known
        row = await self._numbered(patient_no, deadline)
        if row is None or row.meaning("patient_state", "patient_state") == "void":
            raise PatientNotFound
        found = [row]
        if card := row.text("id_number"):
            others = await self._bearing(card, row.text("patient_name"), deadline)
            found += [one for one in others if one.text("patient_no") != patient_no]
        return await self._followed(found, deadline)

    async def _numbered(self, patient_no: str, deadline: Deadline) -> Row | None:
        answer = await self._client.ask("find_by_number", {"patient_no": patient_no}, deadline)
        if not answer.rows:
            return None
        if len(answer.rows) > 1 or answer.rows[0].text("patient_no") != patient_no:
            raise unusable("find_by_number: another patient than was asked for")
        return answer.rows[0]

    async def _bearing(self, card: str, name: str, deadline: Deadline) -> list[Row]:
        """Rows with this id number under this name; one with another number makes the answer unusable."""
        card = card.upper()
        fields = {"id_kind": self._client.profile.formats.id_card, "id_number": card, "patient_name": name}
        answer = await self._client.ask("find_by_card", fields, deadline)
        for row in answer.rows:
            row.needed("patient_no")
            if row.text("id_number").upper() != card:
                raise unusable("find_by_card: a patient without the number that was asked for")
        wanted = plain_name(name)
        return [
            row
            for row in answer.rows
            if plain_name(row.text("patient_name")) == wanted
            and row.meaning("patient_state", "patient_state") != "void"
        ]

    async def _followed(self, found: list[Row], deadline: Deadline) -> Found:
        """All numbers that mergers join to `found`; the one that is merged into no other is the main one."""
        known = {row.needed("patient_no"): row for row in found}
        waiting = list(found)
        while waiting:
            into = waiting.pop().text("merged_into")
            if not into or into in known:
                continue
            if len(known) >= MAX_NUMBERS:
                raise unusable("too many merged numbers")
            row = await self._numbered(into, deadline)
            if row is not None:
                known[into] = row
                waiting.append(row)
        left = sorted(number for number, row in known.items() if row.text("merged_into") not in known)
        valid = [
            number for number in left if known[number].meaning("patient_state", "patient_state") == "valid"
        ]
        if not valid:
            raise unusable("no number of this person counts")
        main = valid[0]
        person = Person((main, *sorted(number for number in known if number != main)))
        self._remembered.put(person.numbers, (person, known[main]))
        return person, known[main]


def as_reply(person: Person, row: Row, asked_name: str) -> PatientReply:
    """The contract's patient, under the name that was asked for (it is hers)."""
    birth = row.day("birth_date")
    if birth is None:
        raise unusable("patient without a birth date")
    return PatientReply(
        patient_id=person.main, name=asked_name, sex=row.meaning("sex", "sex"), birth_date=birth,
        merged_ids=list(person.numbers[1:]),
    )  # fmt: skip
