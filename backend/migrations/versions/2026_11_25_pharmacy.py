"""The pharmacy: second pharmacist, on call, stock, trace codes, quarantine, the comment afterwards, national e-prescription."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "9d41c7e2a5f0"
down_revision = "f1b83d5e07c4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "appraisal_round",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("each", sa.Integer(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appraisal_round")),
        sa.UniqueConstraint("hospital_id", "month", name=op.f("uq_appraisal_round_hospital_id_month")),
    )
    op.create_table(
        "stock_level",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("drug_code", sa.String(length=30), nullable=False),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.CheckConstraint("reserved >= 0 AND reserved <= on_hand", name=op.f("ck_stock_level_adds_up")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_level")),
        sa.UniqueConstraint("hospital_id", "drug_code", name=op.f("uq_stock_level_hospital_id_drug_code")),
    )
    op.create_table(
        "stock_move",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("drug_code", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("packs", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_move")),
    )
    op.create_index("ix_stock_move_drug", "stock_move", ["drug_code", "at"], unique=False)
    op.create_index(
        "uq_stock_move_once",
        "stock_move",
        ["subject_id", "drug_code", "kind"],
        unique=True,
        postgresql_where="subject_id IS NOT NULL",
    )
    op.create_table(
        "on_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_on_call_order")),
        sa.ForeignKeyConstraint(["practitioner_id"], ["staff.id"], name=op.f("fk_on_call_practitioner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_on_call")),
    )
    op.create_index("ix_on_call_ends_at", "on_call", ["ends_at"], unique=False)
    op.create_table(
        "appraisal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("prescription_id", sa.Uuid(), nullable=False),
        sa.Column("prescriber_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("items", JSONB(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("judged_by", sa.Uuid(), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["prescriber_id"], ["practitioner.id"], name=op.f("fk_appraisal_prescriber_id")
        ),
        sa.ForeignKeyConstraint(
            ["prescription_id"], ["prescription.id"], name=op.f("fk_appraisal_prescription_id")
        ),
        sa.ForeignKeyConstraint(["round_id"], ["appraisal_round.id"], name=op.f("fk_appraisal_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appraisal")),
        sa.UniqueConstraint("prescription_id", name=op.f("uq_appraisal_prescription_id")),
    )
    op.create_index(op.f("ix_appraisal_round_id"), "appraisal", ["round_id"], unique=False)
    op.create_table(
        "e_prescription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("prescription_id", sa.Uuid(), nullable=False),
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("hi_rxno", sa.String(length=40), nullable=False),
        sa.Column("trace_code", sa.String(length=40), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=True),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=160), nullable=False),
        sa.ForeignKeyConstraint(
            ["prescription_id"], ["prescription.id"], name=op.f("fk_e_prescription_prescription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_e_prescription")),
        sa.UniqueConstraint("prescription_id", name=op.f("uq_e_prescription_prescription_id")),
    )
    op.create_index(
        "ix_e_prescription_problem",
        "e_prescription",
        ["wanted_at"],
        unique=False,
        postgresql_where="problem <> ''",
    )
    op.create_table(
        "trace_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("dispense_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("drug_code", sa.String(length=30), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dispense_id"], ["dispense.id"], name=op.f("fk_trace_code_dispense_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trace_code")),
    )
    op.create_index("ix_trace_code_dispense", "trace_code", ["dispense_id"], unique=False)
    op.create_index("uq_trace_code_code", "trace_code", ["code"], unique=True, postgresql_where="NOT void")
    op.add_column("dispense", sa.Column("prepared_by", sa.Uuid(), nullable=True))
    op.add_column("dispense", sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("dispense", sa.Column("no_code_reason", sa.LargeBinary(), nullable=True))
    op.add_column("dispense", sa.Column("checks", JSONB(), nullable=False, server_default="[]"))
    op.add_column("dispense", sa.Column("pickup_code", sa.LargeBinary(), nullable=True))
    op.add_column("dispense", sa.Column("without_code", sa.LargeBinary(), nullable=True))
    op.add_column("dispense", sa.Column("quarantined_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("dispense", sa.Column("quarantined_by", sa.Uuid(), nullable=True))
    op.add_column("dispense", sa.Column("disposal", sa.String(length=12), nullable=False, server_default=""))
    op.add_column(
        "prescription", sa.Column("second_eyes", sa.String(length=32), nullable=False, server_default="none")
    )
    op.add_column("prescription", sa.Column("endorsed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("prescription", sa.Column("confirmed_by", sa.Uuid(), nullable=True))
    op.add_column("review", sa.Column("point", sa.String(length=4), nullable=False, server_default=""))
    op.add_column("review", sa.Column("second", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("review", sa.Column("waited", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Back."""
    op.drop_column("review", "waited")
    op.drop_column("review", "second")
    op.drop_column("review", "point")
    op.drop_column("prescription", "confirmed_by")
    op.drop_column("prescription", "endorsed_at")
    op.drop_column("prescription", "second_eyes")
    op.drop_column("dispense", "disposal")
    op.drop_column("dispense", "quarantined_by")
    op.drop_column("dispense", "quarantined_at")
    op.drop_column("dispense", "without_code")
    op.drop_column("dispense", "pickup_code")
    op.drop_column("dispense", "checks")
    op.drop_column("dispense", "no_code_reason")
    op.drop_column("dispense", "prepared_at")
    op.drop_column("dispense", "prepared_by")
    op.drop_index("uq_trace_code_code", table_name="trace_code", postgresql_where="NOT void")
    op.drop_index("ix_trace_code_dispense", table_name="trace_code")
    op.drop_table("trace_code")
    op.drop_index("ix_e_prescription_problem", table_name="e_prescription", postgresql_where="problem <> ''")
    op.drop_table("e_prescription")
    op.drop_index(op.f("ix_appraisal_round_id"), table_name="appraisal")
    op.drop_table("appraisal")
    op.drop_index("ix_on_call_ends_at", table_name="on_call")
    op.drop_table("on_call")
    op.drop_index("uq_stock_move_once", table_name="stock_move", postgresql_where="subject_id IS NOT NULL")
    op.drop_index("ix_stock_move_drug", table_name="stock_move")
    op.drop_table("stock_move")
    op.drop_table("stock_level")
    op.drop_table("appraisal_round")
