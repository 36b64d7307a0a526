"""Fees that are about to be paid online: the window leaves a locked one alone until its time is over, it is lifted, or charged.

Both trades may be repeated: a lock that is asked for again under its number is given as it stands.
"""

from datetime import timedelta

from simulators.his_soap import timetable
from simulators.his_soap.asked import RULE, TAKEN, Asked, Result
from simulators.his_soap.messages import Tree
from simulators.his_soap.store import Entry, Store
from simulators.server import Clock

LOCK, UNLOCK = "5104", "5105"
HELD, OVER = "1", "0"
LONGEST = timedelta(hours=2)


class Fees:
    """Locks by the appointment that they are about."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def lock(self, asked: Asked, patient: str) -> list[Tree]:
        """Raises Result."""
        outer, until = asked.needed("OuterNo"), asked.needed("LockUntil")
        if known := self._store.by_outer("lock", outer):
            return [self._as_it_is(one) for one in known]
        latest = timetable.moment(self._clock.local() + LONGEST)
        if not self._now() < until <= latest:
            raise Result(RULE, "锁定须有结束时间，最长两小时")
        appointment = asked.needed("AppointmentNo")
        if any(self._holds(one) for one in self._of(asked)):
            raise Result(TAKEN, "该费用已被另一次支付锁定")
        if any(_fee(one) == _fee_asked(asked) for one in self._store.by_key("charge", appointment)):
            raise Result(TAKEN, "该费用已收取")
        number = self._store.next_number("SD")
        kind, prescription = _fee_asked(asked)
        body = {
            "OuterNo": outer, "PatientNo": patient, "LockNo": number, "LockState": HELD, "LockUntil": until,
            "ChargeKind": kind, "PrescriptionNo": prescription, "Amount": asked.needed("Amount"),
        }  # fmt: skip
        made = Entry("lock", number, patient, body, appointment, self._now(), outer)
        self._store.put([made])
        return [self._as_it_is(made)]

    def unlock(self, asked: Asked) -> list[Tree]:
        """Those that were lifted now."""
        found = [one for one in self._of(asked) if self._holds(one)]
        for one in found:
            one.body["LockState"] = OVER
        self._store.put(found)
        return [self._as_it_is(one) for one in found]

    def charged(self, asked: Asked) -> None:
        """The charge came: its lock is over."""
        self.unlock(asked)

    def _of(self, asked: Asked) -> list[Entry]:
        found = self._store.by_key("lock", asked.needed("AppointmentNo"))
        return [one for one in found if _fee(one) == _fee_asked(asked)]

    def _holds(self, one: Entry) -> bool:
        return bool(one.body["LockState"] == HELD and one.body["LockUntil"] > self._now())

    def _as_it_is(self, one: Entry) -> Tree:
        return one.body if self._holds(one) else {**one.body, "LockState": OVER}

    def _now(self) -> str:
        return timetable.moment(self._clock.local())


def _fee_asked(asked: Asked) -> tuple[str, str]:
    return asked.needed("ChargeKind"), asked.text("PrescriptionNo")


def _fee(one: Entry) -> tuple[str, str]:
    return str(one.body["ChargeKind"]), str(one.body.get("PrescriptionNo", ""))
