"""Health consultations beside follow-ups, which records and prescriptions cannot point at; the time to talk."""

import sqlalchemy as sa
from alembic import op

revision = "a6c05d18e3f7"
down_revision = "b7d2e94f1c08"
branch_labels = None
depends_on = None

ONLY_OF_A_FOLLOW_UP = ("original_code", "doctor_decides", "diagnoses")
"""Columns that a consultation does not have."""
KIND = (
    "(kind = 'follow_up' AND original_code IS NOT NULL AND doctor_decides IS NOT NULL AND diagnoses IS NOT NULL"
    " AND answer IS NULL) OR (kind = 'consultation' AND original_code IS NULL AND original_day IS NULL"
    " AND doctor_decides IS NULL AND follow_up_confirmed_at IS NULL AND diagnoses IS NULL)"
)


def upgrade() -> None:
    """Forward."""
    for name in ONLY_OF_A_FOLLOW_UP:
        op.alter_column("encounter", name, nullable=True)
    op.add_column("encounter", sa.Column("answer", sa.LargeBinary(), nullable=True))
    for name in ("talk_until", "held_at"):
        op.add_column("encounter", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("encounter", sa.Column("extensions", sa.Integer(), nullable=False, server_default="0"))
    op.create_check_constraint(op.f("ck_encounter_kind"), "encounter", KIND)
    op.create_unique_constraint(op.f("uq_encounter_id_kind"), "encounter", ["id", "kind"])
    for table in ("medical_record", "prescription"):
        op.add_column(
            table,
            sa.Column("encounter_kind", sa.String(length=20), nullable=False, server_default="follow_up"),
        )
        op.create_check_constraint(
            op.f(f"ck_{table}_only_of_a_follow_up"), table, "encounter_kind = 'follow_up'"
        )
        op.drop_constraint(op.f(f"fk_{table}_encounter_id"), table)
        op.create_foreign_key(
            op.f(f"fk_{table}_encounter_id"), table, "encounter", ["encounter_id", "encounter_kind"], ["id", "kind"]
        )  # fmt: skip
    op.add_column(
        "appointment", sa.Column("kind", sa.String(length=20), nullable=False, server_default="follow_up")
    )
    op.alter_column("appointment", "eligibility_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_appointment_follow_ups_are_eligible"),
        "appointment",
        "(kind = 'consultation') = (eligibility_id IS NULL)",
    )


def downgrade() -> None:
    """Back; refused by the database once there are consultations."""
    op.drop_constraint(op.f("ck_appointment_follow_ups_are_eligible"), "appointment")
    op.alter_column("appointment", "eligibility_id", nullable=False)
    op.drop_column("appointment", "kind")
    for table in ("prescription", "medical_record"):
        op.drop_constraint(op.f(f"fk_{table}_encounter_id"), table)
        op.create_foreign_key(op.f(f"fk_{table}_encounter_id"), table, "encounter", ["encounter_id"], ["id"])
        op.drop_constraint(op.f(f"ck_{table}_only_of_a_follow_up"), table)
        op.drop_column(table, "encounter_kind")
    op.drop_constraint(op.f("uq_encounter_id_kind"), "encounter")
    op.drop_constraint(op.f("ck_encounter_kind"), "encounter")
    for name in ("extensions", "held_at", "talk_until", "answer"):
        op.drop_column("encounter", name)
    for name in ONLY_OF_A_FOLLOW_UP:
        op.alter_column("encounter", name, nullable=False)
