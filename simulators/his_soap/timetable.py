"""Places of the doctors at the hospital itself: today and the seven days after, made when they are needed."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from simulators.his_soap.store import Entry, Store
from simulators.server import Clock

DAYS_AHEAD = 7
FREE, BUSY = "0", "1"
_HALVES = ((time(8, 0), 7), (time(13, 30), 6))
_LENGTH = timedelta(minutes=30)


def moment(at: datetime) -> str:
    """As this hospital writes moments."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def ensure(store: Store, clock: Clock) -> None:
    """Add the days that are still missing up to today and seven."""
    today = clock.today()
    last = today + timedelta(days=DAYS_AHEAD)
    through = store.fact("slots_through")
    if through >= last.isoformat():
        return
    first = max(today, date.fromisoformat(through) + timedelta(days=1)) if through else today
    doctors = store.between("doctor", "", "~")
    with store.transaction():
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        store.put(
            slot
            for doctor in doctors
            for department in doctor.body["Depts"]
            for day in days
            for slot in _day(doctor.number, department, day)
        )
        store.set_fact("slots_through", last.isoformat())


def _chance(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[1] * 100 // 256


def _day(doctor: str, department: str, day: date) -> Iterator[Entry]:
    """A doctor sits about six half-days in a week; most places are given away already."""
    for half, (opens, places) in enumerate(_HALVES):
        if day.weekday() == 6 or _chance(f"{doctor}{day.weekday()}{half}") >= 55:
            continue
        for place in range(places):
            start = datetime.combine(day, opens) + place * _LENGTH
            number = f"HY{doctor}{department}{start:%Y%m%d%H%M}"
            body = {
                "SlotNo": number, "DeptCode": department, "DoctorCode": doctor, "StartTime": moment(start),
                "EndTime": moment(start + _LENGTH), "SlotState": BUSY if _chance(number) < 60 else FREE,
            }  # fmt: skip
            yield Entry("slot", number, "", body, key=department, at=moment(start))
