"""What the figures count: events by their names, told by the chain or by the tables of another profile.

One act may be told by both. It is counted by the chain where that tells it, else by the tables.
"""

CHAIN = "shanghai"
TABLES = ("tianjin-1.0", "guangdong")

_TIANJIN_ONCE = {
    "appointment.booked": ("appointment.cancelled",),
    "encounter.started": ("encounter.completed",),
    "consultation.started": ("consultation.completed",),
}
"""Tianjin hears of a visit once, as it stands at the end: that tells the beginning, too."""

ACTS: dict[str, tuple[str, ...]] = {
    "booked": ("appointment.booked",),
    "cancelled": ("appointment.cancelled",),
    "started": ("encounter.started", "consultation.started"),
    "declined": ("encounter.declined", "consultation.declined"),
    "discontinued": ("encounter.discontinued", "consultation.discontinued"),
    "prescribed": ("prescription.signed",),
    "approved": ("prescription.approved",),
    "returned": ("prescription.returned",),
    "ended": ("prescription.expired", "prescription.cancelled"),
    "verified": ("identity.verified",),
    "viewed": ("record.viewed",),
    "filed": ("practitioner.changed",),
}
GRIEVANCES = "method IN ('uploadComplaint', 'pushMedicalDispute', 'bb_pi_adverse_event')"
"""A condition on records: complaints and adverse events, under whichever profile."""


def by_chain(event: str) -> tuple[str, ...]:
    return (f"{event}@{CHAIN}",)


def by_tables(event: str) -> tuple[str, ...]:
    """Kinds with the profile that tells them. What only the chain knows as signed, the tables tell when it was reviewed."""
    found = [f"{event}@{profile}" for profile in TABLES]
    if event == "prescription.signed":
        found = [f"prescription.approved@{profile}" for profile in TABLES]
    return (*found, *(f"{more}@{TABLES[0]}" for more in _TIANJIN_ONCE.get(event, ())))


def one_of(kinds: tuple[str, ...]) -> tuple[str, list[str]]:
    """A condition on records of these kinds, each `kind` or `kind@profile`."""
    parts, values = [], []
    for one in kinds:
        kind, _, profile = one.partition("@")
        parts.append("(kind = ? AND profile = ?)" if profile else "kind = ?")
        values += [kind, profile] if profile else [kind]
    return f"({' OR '.join(parts)})", values
