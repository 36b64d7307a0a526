"""Rows of `guangdong`: the tables `bb_pi_*`. The appointment's id is 就诊流水号 in all of them."""

from regulator_adapter.mapping.guangdong import (
    appointment,
    diagnosis,
    drug,
    feedback,
    medical_record,
    person,
    prescription,
    referral,
    staff,
    treatment,
)

KINDS = (
    staff.KIND,
    staff.BUSINESS,
    person.KIND,
    drug.KIND,
    appointment.KIND,
    treatment.KIND,
    diagnosis.KIND,
    medical_record.KIND,
    prescription.KIND,
    referral.KIND,
    feedback.EVALUATION,
    feedback.ADVERSE_EVENT,
)
