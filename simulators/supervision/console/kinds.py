"""What a record tells: the event's own name where it has one, else its method with the state that it is told in."""

_STATES = {
    "uploadReferralIndicators": "answerFlag", "bb_pi_appointment": "yyzt", "bb_pi_treatment": "jzzt",
    "bb_pi_prescription_detail": "cfzt",
}  # fmt: skip
_TOLD = " ".join(
    f"WHEN '{method}' THEN '{method} ' || coalesce(json_extract({{t}}body, '$.{field}'), '')"
    for method, field in _STATES.items()
)
# A prescription of many lines is told in as many rows: its first line counts.
_LATER_LINE = "CASE WHEN json_extract({t}body, '$.mxxh') > 1 THEN ' line' ELSE '' END"
_KIND = f"coalesce({{t}}event_type, CASE {{t}}method {_TOLD} || {_LATER_LINE} ELSE {{t}}method END)"

ACTS = {
    "booked": ("appointment.booked", "uploadAppointRecord", "bb_pi_appointment 1"),
    "cancelled": ("appointment.cancelled", "bb_pi_appointment 2"),
    "started": (
        "encounter.started", "uploadReferralIndicators 1", "uploadConsultIndicators", "bb_pi_treatment 1",
    ),
    "declined": ("encounter.declined", "uploadReferralIndicators 0", "bb_pi_treatment 2"),
    "discontinued": ("encounter.discontinued", "bb_pi_treatment 3"),
    "prescribed": ("prescription.signed", "uploadRecipeIndicators", "bb_pi_prescription_detail 2"),
    "approved": ("prescription.approved", "uploadRecipeIndicators", "bb_pi_prescription_detail 2"),
    "verified": ("identity.verified", "bb_pi_person"),
    "filed": ("practitioner.changed", "bb_pi_staff"),
}  # fmt: skip
"""What a hospital may report as an event, as a record of another profile, or as both: the event, then the records."""

GRIEVANCES = "method IN ('uploadComplaint', 'pushMedicalDispute', 'bb_pi_adverse_event')"
"""A condition on records: complaints and adverse events, under whichever profile."""


def kind_of(table: str = "") -> str:
    """The SQL expression, of a record in `table`."""
    return _KIND.format(t=f"{table}." if table else "")


def one_of(kinds: tuple[str, ...], table: str = "") -> str:
    """A condition on records of these kinds; its values are the kinds."""
    return f"{kind_of(table)} IN ({','.join('?' * len(kinds))})"
