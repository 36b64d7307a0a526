"""The acceptance clock's start, late doctors, handing a visit over."""

import sqlalchemy as sa
from alembic import op

revision = "5e9c07a4d2b1"
down_revision = "7d30b6e8a514"
branch_labels = None
depends_on = None

MOMENTS = ("clock_started_at", "late_offered_at", "place_kept_at")


def upgrade() -> None:
    """Forward."""
    for name in MOMENTS:
        op.add_column("encounter", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "handover",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("encounter_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("from_practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("to_practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["encounter_id"], ["encounter.id"], name=op.f("fk_handover_encounter_id")),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name=op.f("fk_handover_appointment_id")
        ),
        sa.ForeignKeyConstraint(
            ["from_practitioner_id"], ["practitioner.id"], name=op.f("fk_handover_from_practitioner_id")
        ),
        sa.ForeignKeyConstraint(
            ["to_practitioner_id"], ["practitioner.id"], name=op.f("fk_handover_to_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index(op.f("ix_handover_encounter_id"), "handover", ["encounter_id"], unique=False)
    op.create_index(
        "uq_handover_open", "handover", ["encounter_id"], unique=True, postgresql_where="state = 'proposed'"
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("handover")
    for name in MOMENTS:
        op.drop_column("encounter", name)
