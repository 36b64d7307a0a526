"""Who a patient is: by card and name, with merged and doubled numbers followed.

As in FHIR's `patients`: which numbers belong together is remembered for a short while (numbers only, in memory), writes ask again.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic

from contracts.his import Patient as PatientReply
from front_gateway.deadline import Deadline
from front_gateway.dialects.names import plain_name
from front_gateway.dialects.soap.client import SoapClient
from front_gateway.dialects.soap.rows import Row, unusable
from front_gateway.refusals import PatientNotFound

NUMBER = re.compile(r"[A-Za-z0-9._-]{1,64}")
MAX_NUMBERS = 10
"""Numbers of one person beyond this are a mistake in the hospital's data."""
REMEMBERED = 10_000
REMEMBERED_SECONDS = 30.0


@dataclass(frozen=True)
class Person:
    """`numbers` are all registrations, the one that counts today first."""

    numbers: tuple[str, ...]

    @property
    def main(self) -> str:
        """The number that may be written to, and is the id for callers."""
        return self.numbers[0]


class Patients:
    """Finds persons."""

    def __init__(self, client: SoapClient) -> None:
        self._client = client
        self._remembered: OrderedDict[str, tuple[float, Person]] = OrderedDict()

    async def by_card(self, number: str, name: str, deadline: Deadline) -> tuple[Person, Row] | None:
        """The person with this id number under this name, and the row that counts; None when there is none."""
        found = await self._bearing(number, name, deadline)
        return await self._followed(found, deadline) if found else None

    async def by_number(self, patient_no: str, deadline: Deadline, *, fresh: bool) -> Person:
        """The person with the number `patient_no`, asked again when `fresh`; `PatientNotFound` for nobody."""
        if not NUMBER.fullmatch(patient_no):
            raise PatientNotFound
        until, known = self._remembered.get(patient_no, (0.0, None))
        if not fresh and known is not None and monotonic() < until:
            return known
        row = await self._numbered(patient_no, deadline)
        if row is None or row.meaning("patient_state", "patient_state") == "void":
            raise PatientNotFound
        found = [row]
        if card := row.text("id_number"):
            others = await self._bearing(card, row.text("patient_name"), deadline)
            found += [one for one in others if one.text("patient_no") != patient_no]
        person, _ = await self._followed(found, deadline)
        return person

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

    async def _followed(self, found: list[Row], deadline: Deadline) -> tuple[Person, Row]:
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
        for number in person.numbers:
            self._remembered[number] = (monotonic() + REMEMBERED_SECONDS, person)
            self._remembered.move_to_end(number)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
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
