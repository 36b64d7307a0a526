"""Adverse events and what was told about them."""

import sqlalchemy as sa
from alembic import op

revision = "e5b72c9f4a16"
down_revision = "a90d3e6b5c17"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "adverse_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(30), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("encounter_id", sa.Uuid(), nullable=True),
        sa.Column("patient_name", sa.LargeBinary(), nullable=False),
        sa.Column("patient_phone", sa.LargeBinary(), nullable=False),
        sa.Column("reporter_id", sa.Uuid(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("grade", sa.String(4), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_name", sa.String(60), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_name", sa.String(60), nullable=False),
        sa.ForeignKeyConstraint(
            ["encounter_id"], ["encounter.id"], name=op.f("fk_adverse_event_encounter_id_encounter")
        ),
        sa.ForeignKeyConstraint(
            ["reporter_id"], ["staff.id"], name=op.f("fk_adverse_event_reporter_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adverse_event")),
        sa.UniqueConstraint("number", name=op.f("uq_adverse_event_number")),
    )
    op.create_index(op.f("ix_adverse_event_reporter_id"), "adverse_event", ["reporter_id"])
    op.create_index(op.f("ix_adverse_event_state"), "adverse_event", ["state"])
    op.create_table(
        "adverse_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(36), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("description", sa.LargeBinary(), nullable=False),
        sa.Column("cause", sa.LargeBinary(), nullable=False),
        sa.Column("measures", sa.LargeBinary(), nullable=False),
        sa.Column("damage", sa.LargeBinary(), nullable=False),
        sa.Column("improvements", sa.LargeBinary(), nullable=False),
        sa.Column("reporter_id", sa.Uuid(), nullable=False),
        sa.Column("reporter_name", sa.String(60), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["adverse_event.id"], name=op.f("fk_adverse_report_event_id_adverse_event")
        ),
        sa.ForeignKeyConstraint(
            ["reporter_id"], ["staff.id"], name=op.f("fk_adverse_report_reporter_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adverse_report")),
        sa.UniqueConstraint("event_id", "sequence", name=op.f("uq_adverse_report_event_id_sequence")),
        sa.UniqueConstraint("number", name=op.f("uq_adverse_report_number")),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("adverse_report")
    op.drop_table("adverse_event")
