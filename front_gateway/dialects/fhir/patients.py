"""Who a patient is: by number and name, with merged and doubled registrations followed.

Who was found is remembered for a short while (`remembered`). Writes always ask again.
"""

from dataclasses import dataclass
from datetime import date

from contracts.his import Patient as PatientReply
from front_gateway.deadline import Deadline
from front_gateway.dialects import Who
from front_gateway.dialects.fhir.bundles import unusable
from front_gateway.dialects.fhir.client import FhirClient, NotThere
from front_gateway.dialects.fhir.days import day_of
from front_gateway.dialects.fhir.references import ID, id_in
from front_gateway.dialects.fhir.resources import Patient
from front_gateway.dialects.fhir.systems import Systems
from front_gateway.dialects.names import plain_name
from front_gateway.dialects.remembered import Remembered
from front_gateway.refusals import PatientNotFound

MAX_LINKS = 10
"""Registrations of one person beyond this are a mistake in the hospital's data."""
_SEX = {"male": "male", "female": "female"}


@dataclass(frozen=True)
class Person:
    """`ids` are all registrations, the one that counts today first; it may be written to, and is the id for callers.

    `numbers` are their identifiers of `Systems.record_number`, for systems that know patients by those.
    """

    ids: tuple[str, ...]
    numbers: tuple[str, ...] = ()

    @property
    def main_id(self) -> str:
        """The registration that counts today."""
        return self.ids[0]

    @property
    def search_value(self) -> str:
        """`Patient/1,Patient/2` for a search parameter."""
        return ",".join(f"Patient/{one}" for one in self.ids)


Found = tuple[Person, Patient]
"""A person, and her registration that counts today."""


class Patients:
    """Finds persons."""

    def __init__(self, client: FhirClient, systems: Systems) -> None:
        self._client = client
        self._systems = systems
        self._remembered: Remembered[Found] = Remembered()

    async def by_number(self, number: str, name: str, deadline: Deadline) -> Found | None:
        """The person with this id number under this name; None when there is none."""
        wanted = plain_name(name)
        found = [one for one in await self._bearing(number, deadline) if wanted in names_of(one)]
        return await self._followed(found, deadline) if found else None

    async def by_id(self, patient_id: str, deadline: Deadline, *, fresh: bool) -> Person:
        """The person with the registration `patient_id`, asked again when `fresh`; `PatientNotFound` for nobody."""
        return (await self._with_id(patient_id, deadline, fresh=fresh))[0]

    async def who(self, patient_id: str, deadline: Deadline, *, fresh: bool) -> Who:
        """The same person for the systems beside the HIS."""
        person, main = await self._with_id(patient_id, deadline, fresh=fresh)
        written = (
            one.text or f"{one.family}{''.join(part or '' for part in one.given)}" for one in main.name
        )
        reply = as_reply(person, main, next(written, ""))
        numbers = person.numbers if self._systems.record_number else person.ids
        return Who(
            person.main_id, numbers, reply.name, frozenset(names_of(main)), reply.sex, reply.birth_date
        )

    async def _with_id(self, patient_id: str, deadline: Deadline, *, fresh: bool) -> Found:
        if not fresh and (known := self._remembered.get(patient_id)):
            return known
        if not ID.fullmatch(patient_id):
            raise PatientNotFound
        try:
            patient = await self._client.read(Patient, patient_id, deadline)
        except NotThere:
            raise PatientNotFound from None
        found = [patient]
        if number := next(
            (one.value for one in patient.identifier if one.system == self._systems.id_card), ""
        ):
            own = names_of(patient)
            found += [
                one
                for one in await self._bearing(number, deadline)
                if one.id != patient_id and own & names_of(one)
            ]
        return await self._followed(found, deadline)

    async def _bearing(self, number: str, deadline: Deadline) -> list[Patient]:
        """Registrations with this id number; what the server returns beside them makes its answer unusable."""
        number = number.upper()
        query = [("identifier", f"{self._systems.id_card}|{number}")]
        found = await self._client.search(Patient, query, deadline, about=None)
        for one in found:
            if not one.has_identifier(self._systems.id_card, number):
                raise unusable("a patient without the number that was asked for")
        return found

    async def _followed(self, found: list[Patient], deadline: Deadline) -> Found:
        """All registrations that links join to `found`; the one that nothing replaces is the main one."""
        known = {one.id: one for one in found}
        waiting = list(found)
        while waiting:
            for other in self._linked(waiting.pop()):
                if other in known:
                    continue
                if len(known) >= MAX_LINKS:
                    raise unusable("too many linked registrations")
                try:
                    known[other] = await self._client.read(Patient, other, deadline)
                except NotThere:
                    continue  # merged away and deleted
                waiting.append(known[other])
        replaced = {one.id for one in known.values() if any(link.type == "replaced-by" for link in one.link)}
        replaced |= {
            id_in(link.other.reference, "Patient", self._client.base_path)
            for one in known.values()
            for link in one.link
            if link.type == "replaces"
        }
        left = [one for one in known.values() if one.id not in replaced]
        if not left:
            raise unusable("registrations replace one another in a circle")
        main = min(left, key=lambda one: (not one.active, one.id))
        others = sorted(one for one in known if one != main.id)
        ids = (main.id, *others)
        numbers = (self._record_number(known[one]) for one in ids)
        person = Person(ids, tuple(dict.fromkeys(filter(None, numbers))))
        self._remembered.put(ids, (person, main))
        return person, main

    def _record_number(self, patient: Patient) -> str:
        system = self._systems.record_number
        return next((one.value for one in patient.identifier if system and one.system == system), "")

    def _linked(self, patient: Patient) -> list[str]:
        ids = (
            id_in(link.other.reference, "Patient", self._client.base_path)
            for link in patient.link
            if link.type in ("replaced-by", "replaces")
        )
        return [one for one in ids if one]


def as_reply(person: Person, main: Patient, asked_name: str) -> PatientReply:
    """The contract's patient, under the name that was asked for (it is one of hers)."""
    birth = day_of(main.birth_date)
    if birth is None:
        raise unusable("patient without a birth date")
    return PatientReply(
        patient_id=person.main_id,
        name=asked_name,
        sex=_SEX.get(main.gender, "unknown"),
        birth_date=date(birth.year, birth.month, birth.day),
        merged_ids=list(person.ids[1:]),
    )


def names_of(patient: Patient) -> set[str]:
    """Every way the hospital writes the patient's name, in comparable form."""
    found = set()
    for name in patient.name:
        given = [part for part in name.given if part]
        found |= {name.text, f"{name.family}{''.join(given)}", f"{''.join(given)}{name.family}"}
    return {plain_name(one) for one in found if one}
