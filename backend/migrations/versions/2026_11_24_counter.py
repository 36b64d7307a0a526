"""Booking with help at the counter: cases, what was booked in them, codes that pay; consent on paper; no account needed."""

import sqlalchemy as sa
from alembic import op

revision = "3f8d1b6c90ea"
down_revision = "c81f4e60a7d5"
branch_labels = None
depends_on = None

WITHOUT_ACCOUNT = ("appointment", "consent", "eligibility_decision", "payment")


def upgrade() -> None:
    """Forward."""
    for table in WITHOUT_ACCOUNT:
        op.alter_column(table, "account_id", existing_type=sa.Uuid(), nullable=True)
    op.add_column("consent", sa.Column("witness_id", sa.Uuid(), nullable=True))
    op.create_table(
        "counter_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.String(length=32), nullable=False),
        sa.Column("callback_phone", sa.LargeBinary(), nullable=False),
        sa.Column("proxy_name", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_counter_case_person_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_counter_case_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counter_case")),
    )
    op.create_index(op.f("ix_counter_case_person_id"), "counter_case", ["person_id"], unique=False)
    op.create_index("ix_counter_case_opened_at", "counter_case", ["opened_at"], unique=False)
    op.create_table(
        "assisted_booking",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["counter_case.id"], name=op.f("fk_assisted_booking_case_id")),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name=op.f("fk_assisted_booking_appointment_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_assisted_booking_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assisted_booking")),
        sa.UniqueConstraint("appointment_id", name=op.f("uq_assisted_booking_appointment_id")),
    )
    op.create_index(op.f("ix_assisted_booking_case_id"), "assisted_booking", ["case_id"], unique=False)
    op.create_table(
        "pay_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("code_index", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.Uuid(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_pay_code_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pay_code")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_pay_code_payment_id")),
        sa.UniqueConstraint("code_index", name=op.f("uq_pay_code_code_index")),
    )


def downgrade() -> None:
    """Back; what was booked without an account cannot stay."""
    op.drop_table("pay_code")
    op.drop_table("assisted_booking")
    op.drop_table("counter_case")
    op.drop_column("consent", "witness_id")
    for table in WITHOUT_ACCOUNT:
        op.alter_column(table, "account_id", existing_type=sa.Uuid(), nullable=False)
