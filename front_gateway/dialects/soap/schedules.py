"""Places of the hospital's own schedule. Nothing in them is about a patient."""

from datetime import date

from contracts.his import HospitalSlot
from foundation.clock import local
from front_gateway.deadline import Deadline
from front_gateway.dialects.soap.client import SoapClient
from front_gateway.dialects.soap.rows import Row


class ScheduleReader:
    """Reads slots; a hospital without such an interface has none."""

    def __init__(self, client: SoapClient) -> None:
        self._client = client

    async def slots(
        self, department: str, doctor: str, first: date, last: date, deadline: Deadline
    ) -> list[HospitalSlot]:
        """Slots of `department` from `first` to `last`, earliest first; of one doctor when her code is given."""
        if not self._client.has("slots"):
            return []
        words = self._client.words
        fields = {"department_code": department, "since": words.day(first), "until": words.day(last)}
        if doctor:
            fields["doctor_code"] = doctor
        made = [_slot(row) for row in await self._client.rows("slots", fields, deadline)]
        wanted = [
            one
            for one in made
            if one.department_code == department
            and doctor in ("", one.practitioner_code)
            and first <= local(one.starts_at).date() <= last
            and one.status != "entered-in-error"
        ]
        return sorted(wanted, key=lambda one: (one.starts_at, one.slot_id))


def _slot(row: Row) -> HospitalSlot:
    return HospitalSlot(
        slot_id=row.needed("slot_no"), practitioner_code=row.needed("doctor_code"),
        department_code=row.needed("department_code"), starts_at=row.moment("starts_at"),
        ends_at=row.moment("ends_at"), status=row.meaning("slot_status", "slot_status"),
    )  # fmt: skip
