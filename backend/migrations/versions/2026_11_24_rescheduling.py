"""Stops and moves of what patients have booked, each patient they reach, and how an appointment shows it."""

import sqlalchemy as sa
from alembic import op

revision = "7d30b6e8a514"
down_revision = "b6f21d9a7e38"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "schedule_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("surplus", sa.Boolean(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("department_code", sa.String(length=20), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("stoppage_id", sa.Uuid(), nullable=True),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('stop', 'move')", name=op.f("ck_schedule_change_kind")),
        sa.CheckConstraint(
            "practitioner_id IS NOT NULL OR department_code IS NOT NULL",
            name=op.f("ck_schedule_change_whose"),
        ),
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("fk_schedule_change_department_code")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_schedule_change_practitioner_id")
        ),
        sa.ForeignKeyConstraint(
            ["stoppage_id"], ["stoppage.id"], name=op.f("fk_schedule_change_stoppage_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_change")),
    )
    op.create_index("ix_schedule_change_made_at", "schedule_change", ["made_at"], unique=False)
    op.create_table(
        "relocation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("from_slot_id", sa.Uuid(), nullable=False),
        sa.Column("from_starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("to_slot_id", sa.Uuid(), nullable=True),
        sa.Column("to_number", sa.Integer(), nullable=True),
        sa.Column("to_place", sa.String(32), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name=op.f("fk_relocation_appointment_id")
        ),
        sa.ForeignKeyConstraint(["change_id"], ["schedule_change.id"], name=op.f("fk_relocation_change_id")),
        sa.ForeignKeyConstraint(
            ["from_practitioner_id"], ["practitioner.id"], name=op.f("fk_relocation_from_practitioner_id")
        ),
        sa.ForeignKeyConstraint(["from_slot_id"], ["slot.id"], name=op.f("fk_relocation_from_slot_id")),
        sa.ForeignKeyConstraint(["to_slot_id"], ["slot.id"], name=op.f("fk_relocation_to_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relocation")),
    )
    op.create_index(op.f("ix_relocation_appointment_id"), "relocation", ["appointment_id"], unique=False)
    op.create_index(op.f("ix_relocation_change_id"), "relocation", ["change_id"], unique=False)
    op.create_index(
        "uq_relocation_planned",
        "relocation",
        ["appointment_id"],
        unique=True,
        postgresql_where="state = 'planned'",
    )
    op.add_column("appointment", sa.Column("moved_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("appointment", sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back."""
    op.drop_column("appointment", "answer_by")
    op.drop_column("appointment", "moved_from")
    op.drop_index("uq_relocation_planned", table_name="relocation", postgresql_where="state = 'planned'")
    op.drop_index(op.f("ix_relocation_change_id"), table_name="relocation")
    op.drop_index(op.f("ix_relocation_appointment_id"), table_name="relocation")
    op.drop_table("relocation")
    op.drop_index("ix_schedule_change_made_at", table_name="schedule_change")
    op.drop_table("schedule_change")
