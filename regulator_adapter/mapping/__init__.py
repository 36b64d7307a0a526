"""From our events to a platform's records: one module per record, listed here by hand."""

from regulator_adapter.mapping import guangdong
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.shanghai import (
    booking,
    chain_link,
    complaint,
    follow_up,
    payment,
    practitioner,
    real_name,
    record_view,
)
from regulator_adapter.mapping.shanghai import prescription as shanghai_prescription
from regulator_adapter.mapping.tianjin import (
    appointment,
    catalogue,
    consultation,
    dispute,
    evaluation,
    fulfilment,
    medical_record,
    prescription,
    referral,
)

_ALL: tuple[RecordKind, ...] = (
    catalogue.KIND,
    appointment.KIND,
    consultation.KIND,
    referral.KIND,
    medical_record.KIND,
    prescription.KIND,
    fulfilment.KIND,
    evaluation.KIND,
    dispute.KIND,
    real_name.KIND,
    booking.KIND,
    record_view.KIND,
    follow_up.KIND,
    shanghai_prescription.KIND,
    payment.KIND,
    practitioner.KIND,
    complaint.KIND,
    chain_link.KIND,
    *guangdong.KINDS,
)

KINDS: dict[tuple[str, str], RecordKind] = {(kind.profile, kind.method): kind for kind in _ALL}
"""By profile and method."""
