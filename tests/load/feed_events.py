"""The events of whole visits, as a hospital makes them: many patients and doctors, spread over a day, everybody made up."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from msgspec.structs import replace

from contracts import events as e
from contracts.envelope import Envelope
from foundation.chain import GENESIS
from foundation.db.base import hospital_id
from foundation.db.outbox import OutboxEvent, StreamHead, digest_of
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.ids import new_id
from tests.builders import events as b

DOCTORS = 300
PATIENTS = 2000
VISIT = 12
"""Events of one visit."""
CHUNK = 2000

Made = tuple[str, Any, datetime]
"""Stream, event, when."""


def before_all(at: datetime) -> list[Made]:
    """What must be known first: the drugs, and the doctors."""
    filed = [(f"practitioner:{one.practitioner_id}", one) for one in map(doctor, range(DOCTORS))]
    return [
        ("catalogue", b.drug_catalogue_changed(), at),
        *((stream, replace(b.practitioner_changed(), practitioner=one), at) for stream, one in filed),
    ]


def visit(number: int, at: datetime) -> list[Made]:
    """Twelve events: decided, booked, paid, looked up, seen, prescribed, reviewed, dispensed, rated."""
    somebody = patient(number % PATIENTS)
    seen = replace(b.a_visit(somebody), practitioner=doctor(number % DOCTORS))
    prescription, stream = b.a_prescription(), f"visit:{seen.appointment_id}"
    drugs = replace(
        b.payment_confirmed(seen, uuid4()),
        subject_kind="prescription",
        subject_id=prescription.prescription_id,
    )
    made = [
        (f"person:{somebody.person_id}", replace(b.eligibility_decided(), person=somebody)),
        *(
            (stream, event)
            for event in (
                b.appointment_booked(seen), b.payment_confirmed(seen, uuid4()), b.record_viewed(seen), b.encounter_started(seen),
                b.prescription_signed(seen, prescription), b.record_signed(seen), b.prescription_approved(seen, prescription),
                b.encounter_completed(seen), drugs, b.dispense_completed(seen, prescription), b.evaluation_submitted(seen),
            )
        ),
    ]  # fmt: skip
    return [(stream, event, at + timedelta(seconds=step)) for step, (stream, event) in enumerate(made)]


def visits(count: int, begin: datetime, first: int = 0, hours: float = 24) -> Iterator[Made]:
    """So many visits over so many hours, twelve of them interleaved at a time."""
    for group in range(0, count, VISIT):
        several = [
            visit(first + number, begin + timedelta(hours=hours * number / count))
            for number in range(group, min(group + VISIT, count))
        ]
        for step in range(VISIT):
            for one in several:
                yield one[step]


def patient(number: int) -> e.Person:
    """Somebody with a person id of her own; her number passes its check and is everybody's."""
    return replace(b.PATIENT, person_id=UUID(int=0x0193_0000 << 96 | 0xA << 64 | number))


def doctor(number: int) -> e.Practitioner:
    """A doctor with an id of her own."""
    own = UUID(int=0x0193_0000 << 96 | 0xB << 64 | number)
    return replace(b.DOCTOR, practitioner_id=own, code=f"D{number:04d}")


class Outbox:
    """Writes events into the outbox in bulk, as their transactions would have left them: not sealed, not delivered."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._sequences: dict[str, int] = {}
        self.written = 0

    async def write(self, made: Iterator[Made] | Sequence[Made], most: int | None = None) -> list[UUID]:
        """All of `made`, or as many as `most`; their ids."""
        ids: list[UUID] = []
        chunk: list[dict[str, Any]] = []
        for stream, event, at in made:
            if most is not None and len(ids) == most:
                break
            chunk.append(self._row(stream, event, at))
            ids.append(chunk[-1]["id"])
            if len(chunk) == CHUNK:
                await self._flush(chunk)
                chunk = []
        await self._flush(chunk)
        return ids

    def _row(self, stream: str, event: Any, at: datetime) -> dict[str, Any]:
        import msgspec

        sequence = self._sequences[stream] = self._sequences.get(stream, 0) + 1
        row = {
            "id": new_id(), "hospital_id": hospital_id(), "stream": stream, "sequence": sequence, "type": event.TYPE,
            "version": event.VERSION, "occurred_at": at, "payload": msgspec.to_builtins(event),
        }  # fmt: skip
        row["digest"] = digest_of(
            event_id=row["id"], stream=stream, sequence=sequence, kind=event.TYPE, version=event.VERSION,
            occurred_at=at, payload=row["payload"],
        )  # fmt: skip
        return row

    async def _flush(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        from foundation.db.bulk import insert_all

        async with unit_of_work(self._db) as session:
            await insert_all(session, {OutboxEvent: rows})
        self.written += len(rows)

    async def remember_streams(self) -> None:
        """So that `publish` counts on where the bulk ended."""
        from foundation.db.bulk import insert_all

        async with unit_of_work(self._db) as session:
            await insert_all(
                session,
                {StreamHead: [
                    {"id": new_id(), "hospital_id": hospital_id(), "stream": stream, "sequence": sequence}
                    for stream, sequence in self._sequences.items()
                ]},
            )  # fmt: skip


def envelope(row: OutboxEvent) -> Envelope:
    """A row as it travels."""
    return Envelope(
        event_id=row.id, type=row.type, version=row.version, hospital_id=row.hospital_id, stream=row.stream,
        sequence=row.sequence, number=row.sealed_number or 0, occurred_at=row.occurred_at, payload=row.payload,
        digest=row.digest.hex(), head=(row.head or GENESIS).hex(),
    )  # fmt: skip
