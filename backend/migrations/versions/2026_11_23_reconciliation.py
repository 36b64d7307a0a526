"""Days, runs and differences of the daily reconciliation; the indexes by which a day's money is found."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "f3b8a60c2e95"
down_revision = "d4a7f31c90be"
branch_labels = None
depends_on = None


def moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    """A UTC instant."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def text(name: str, length: int) -> sa.Column[str]:
    """Short text."""
    return sa.Column(name, sa.String(length=length), nullable=False)


def fen(name: str, *, nullable: bool = False) -> sa.Column[int]:
    """Money."""
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def key(name: str, *, nullable: bool = False) -> sa.Column[UUID]:
    """An id."""
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "reconciliation_day",
        key("id"), key("hospital_id"), sa.Column("day", sa.Date(), nullable=False), text("state", 32), moment("due_at"),
        key("last_run", nullable=True), text("waiting_for", 60), moment("closed_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_day")),
        sa.UniqueConstraint("day", name=op.f("uq_reconciliation_day_day")),
    )  # fmt: skip
    op.create_table(
        "reconciliation_run",
        key("id"), key("hospital_id"), key("day_id"), moment("at"),
        sa.Column("differences", sa.Integer(), nullable=False), sa.Column("entries", sa.Integer(), nullable=False),
        fen("ours_charged"), fen("ours_refunded"), fen("provider_charged"), fen("provider_refunded"), fen("provider_fee"),
        fen("account_in"), fen("account_out"), fen("hospital_charged"), fen("hospital_refunded"), text("trade_sha1", 40),
        text("flow_sha1", 40), text("statement", 120), text("statement_hash", 64),
        sa.ForeignKeyConstraint(["day_id"], ["reconciliation_day.id"], name=op.f("fk_reconciliation_run_day_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_run")),
    )  # fmt: skip
    op.create_index(op.f("ix_reconciliation_run_day_id"), "reconciliation_run", ["day_id"], unique=False)
    op.create_table(
        "reconciliation_difference",
        key("id"), key("hospital_id"), key("day_id"), sa.Column("day", sa.Date(), nullable=False), text("state", 32),
        text("kind", 24), text("money", 10), text("number", 64), text("own", 64), fen("mine", nullable=True),
        fen("theirs", nullable=True), key("payment_id", nullable=True), key("refund_id", nullable=True), moment("found_at"),
        text("resolution", 24), sa.Column("note", sa.LargeBinary(), nullable=True), key("settled_by", nullable=True),
        moment("settled_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["day_id"], ["reconciliation_day.id"], name=op.f("fk_reconciliation_difference_day_id")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_reconciliation_difference_payment_id")
        ),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f("fk_reconciliation_difference_refund_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_difference")),
        sa.UniqueConstraint(
            "day_id", "kind", "money", "number", name=op.f("uq_reconciliation_difference_day_id_kind_money_number")
        ),
    )  # fmt: skip
    op.create_index(
        op.f("ix_reconciliation_difference_day_id"), "reconciliation_difference", ["day_id"], unique=False
    )
    op.create_index(
        "ix_reconciliation_difference_open", "reconciliation_difference", ["found_at"], unique=False,
        postgresql_where="state = 'open'",
    )  # fmt: skip
    op.create_index("ix_payment_paid_at", "payment", ["paid_at"], unique=False)
    op.create_index("ix_refund_succeeded_at", "refund", ["succeeded_at"], unique=False)


def downgrade() -> None:
    """Back."""
    op.drop_index("ix_refund_succeeded_at", table_name="refund")
    op.drop_index("ix_payment_paid_at", table_name="payment")
    op.drop_table("reconciliation_difference")
    op.drop_table("reconciliation_run")
    op.drop_table("reconciliation_day")
