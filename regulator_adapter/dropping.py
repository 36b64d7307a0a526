"""Contents go once their day is closed: ids, digests, places in the chain and receipts stay, and prove what there was.

Kept longer is only what a later record has to read: the booking, signature and approval that an ending refers to, until their stream
has rested, and how a doctor was last filed. Whatever people still have to decide on keeps its content too.
"""

from datetime import timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import aliased

from foundation.actor import SYSTEM
from foundation.db.audit import audit
from foundation.db.unit_of_work import Database, unit_of_work
from regulator_adapter.days.closed import in_closed_day
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.states import SubmissionState

READ_LATER = (
    "appointment.booked",
    "appointment.cancelled",
    "appointment.moved",
    "encounter.started",
    "prescription.signed",
    "prescription.approved",
    "practitioner.changed",
    "record.amended",
)
"""What mappings look back for, or, where a record settles in its night, forward; a test goes through all of them."""
LAST_COUNTS = "practitioner.changed"
STREAM_RESTS = timedelta(days=31)
"""A prescription is valid for three days and may travel for weeks."""
AT_ONCE = 1000


async def drop_contents(db: Database) -> int:
    """One batch, oldest first; returns how many contents went."""
    later, newer = aliased(ReceivedEvent), aliased(ReceivedEvent)
    row = ReceivedEvent
    rested = ~(
        select(later.id)
        .where(later.hospital_id == row.hospital_id, later.stream == row.stream)
        .where(later.occurred_at > db.clock.now() - STREAM_RESTS)
        .exists()
    )
    overtaken = (
        select(newer.id)
        .where(newer.hospital_id == row.hospital_id, newer.stream == row.stream)
        .where(newer.type == row.type, newer.sequence > row.sequence)
        .exists()
    )
    unsettled = (
        select(Submission.id)
        .where(Submission.event_id == row.event_id, Submission.state != SubmissionState.ACCEPTED)
        .exists()
    )
    wanted = (
        select(row.id)
        .where(row.payload.is_not(None), in_closed_day(), ~unsettled)
        .where(or_(row.type.not_in(READ_LATER), rested))
        .where(or_(row.type != LAST_COUNTS, overtaken))
        .order_by(row.occurred_at)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    async with unit_of_work(db) as session:
        ids = list(await session.scalars(wanted))
        if ids:
            gone = (
                update(row)
                # Looked at again now that the rows are locked: one may have been sent once more meanwhile.
                .where(row.id.in_(ids), ~unsettled)
                .values(payload=None)
                .returning(row.number)
                .execution_options(synchronize_session=False)
            )
            numbers = sorted(await session.scalars(gone))
            if not numbers:
                return len(ids)
            detail = {"first": str(numbers[0]), "last": str(numbers[-1]), "count": str(len(numbers))}
            audit(
                session,
                SYSTEM,
                "event.content_dropped",
                "received_event",
                f"{len(numbers)} rows",
                detail=detail,
            )
        return len(ids)
