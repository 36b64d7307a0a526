"""Ordinary residents who may be seen again today, with WeChat ids: for benches and rushes, not for people's eyes."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from standalone.people import credentials
from standalone.people.age_pyramid import age_on
from standalone.people.shapes import DemoPerson, Resident, Visit

_RECENT = timedelta(days=25)
# symptoms, check-ups, injuries, pregnancy; acute turns of chronic illnesses
_NOT_ONLINE = ("R", "Z", "S", "T", "O", "E11.1", "J44.1")


class LoadPatients:
    """Picks the first `most` that fit."""

    def __init__(self, random: Random, today: date, most: int) -> None:
        self._random = random
        self._today = today
        self._most = most
        self.picked: list[DemoPerson] = []

    def look_at(self, residents: Iterator[Resident]) -> Iterator[Resident]:
        """The same residents, looked at in passing."""
        for one in residents:
            if len(self.picked) < self._most and age_on(one.birth_date, self._today) >= 18:
                visit = next((visit for visit in one.visits if self._fits(visit)), None)
                if visit is not None:
                    self.picked.append(self._person(one, visit))
            yield one

    def _fits(self, visit: Visit) -> bool:
        main = visit.diagnoses[0]
        return (
            visit.status == "finished"
            and not visit.held_under
            and self._today - visit.date <= _RECENT
            and main.certainty == "confirmed"
            and bool(main.code)
            and not main.code.startswith(_NOT_ONLINE)
        )

    def _person(self, one: Resident, visit: Visit) -> DemoPerson:
        main = visit.diagnoses[0]
        return DemoPerson(
            id=one.id,
            name=one.name,
            note="压力测试患者",
            sex=one.sex,
            birth_date=one.birth_date,
            phone=one.phone,
            openid=credentials.openid(self._random),
            id_number=one.id_number,
            department=visit.department,
            doctor=visit.doctor,
            visit_date=visit.discharged_on or visit.date,
            diagnosis_code=main.code,
            diagnosis_name=main.name,
            asks_for=main.code,
        )
