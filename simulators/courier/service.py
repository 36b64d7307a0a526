"""What a courier does with parcels. No HTTP here."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from simulators.courier.statuses import NOTES, ORDINARY_WAY, Status, possible
from simulators.courier.store import CallbackState, Shipment, Store
from simulators.courier.wire import Event, NewShipment, check_callback_url
from simulators.server import SHANGHAI, Clock, Faults
from simulators.signed import Refused

HELD_SECONDS = 60  # a callback that waits for the next one goes out alone after this time


class Courier:
    """`wake` is called when a callback has become due."""

    def __init__(self, store: Store, clock: Clock, faults: Faults, wake: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._faults = faults
        self._wake = wake

    def accept(self, request: NewShipment) -> tuple[Shipment, bool]:
        """The parcel, and whether it is new. Raises BadField, Refused."""
        check_callback_url(request.callback_url)
        known = self._store.by_order(request.order_number)
        if known is not None:
            if known.request != request:
                raise Refused("ORDER_NUMBER_USED", 409, "another parcel has this order number")
            return known, False
        now = self._clock.timestamp()
        with self._store.together():
            waybill = self._store.add(request, now)
            self._record(waybill, Status.ACCEPTED, place="", note="", at=now)
        self._wake()
        return self.find(waybill), True

    def find(self, waybill: str) -> Shipment:
        """Raises Refused(NOT_FOUND)."""
        shipment = self._store.by_waybill(waybill)
        if shipment is None:
            raise Refused("NOT_FOUND", 404)
        return shipment

    def cancel(self, waybill: str) -> Shipment:
        """Until it has been collected; once more changes nothing. Raises Refused."""
        if self.find(waybill).status is Status.CANCELLED:
            return self.find(waybill)
        if Status.CANCELLED not in self.choices(waybill):
            raise Refused("ALREADY_COLLECTED", 409, "快件已揽收，不能取消")
        return self.move(waybill, Status.CANCELLED)

    def choices(self, waybill: str) -> tuple[Status, ...]:
        """Where the parcel may go next."""
        return possible([row.event.status for row in self._store.events(waybill)])

    def move(
        self, waybill: str, status: Status, place: str = "", note: str = "", at: float | None = None
    ) -> Shipment:
        """The next event of a parcel. Raises Refused."""
        shipment = self.find(waybill)
        if status not in self.choices(waybill):
            raise Refused("WRONG_STATUS", 409, f"{shipment.status} cannot become {status}")
        with self._store.together():
            self._record(waybill, status, place, note, self._clock.timestamp() if at is None else at)
        self._wake()
        return self.find(waybill)

    def move_by_itself(self, every_seconds: float) -> None:
        """Every parcel that has rested long enough takes its next ordinary step, several when the clock was moved far."""
        while rested := self._store.unmoved(tuple(ORDINARY_WAY), self._clock.timestamp() - every_seconds):
            for one in rested:
                self.move(one.waybill, ORDINARY_WAY[one.status], at=one.moved_at + every_seconds)

    def tell_again(self, waybill: str) -> None:
        """Every callback that has not arrived starts again from its first attempt."""
        for row in self._store.events(waybill):
            if row.state is not CallbackState.DELIVERED:
                self._store.restart_callback(row.id, self._clock.timestamp())
        self._wake()

    def _record(self, waybill: str, status: Status, place: str, note: str, at: float) -> None:
        before = self._store.events(waybill)
        shipment = self.find(waybill)
        event = Event(
            sequence=len(before) + 1,
            status=status,
            at=datetime.fromtimestamp(at, UTC).astimezone(SHANGHAI).isoformat(timespec="seconds"),
            place=place or _usual_place(shipment, status, before[-1].event.place if before else ""),
            note=note or NOTES[status],
        )
        event_id = str(uuid.uuid4())
        self._store.add_event(event_id, waybill, event, at)
        self._plan_callback(event_id, waybill)

    def _plan_callback(self, event_id: str, waybill: str) -> None:
        """At once, unless a fault is switched on."""
        now = self._clock.timestamp()
        if self._faults.on("lose_callbacks"):
            self._store.settle(event_id, CallbackState.LOST, 0, "")
            return
        due = now + self._faults.number("delay_seconds")
        waiting = self._store.held(waybill)
        if waiting is not None:  # the later one first, then the earlier
            self._store.schedule(event_id, due)
            self._store.schedule(waiting, due + 1)
        elif self._faults.on("reorder"):
            self._store.schedule(event_id, due + HELD_SECONDS, held=True)
        else:
            self._store.schedule(event_id, due)


def _usual_place(shipment: Shipment, status: Status, last: str) -> str:
    places = {
        Status.IN_TRANSIT: "转运中心",
        Status.OUT_FOR_DELIVERY: "收件地网点",
        Status.DELIVERED: shipment.request.receiver.address,
        Status.EXCEPTION: last,
    }
    return places.get(status, shipment.request.sender.address)
