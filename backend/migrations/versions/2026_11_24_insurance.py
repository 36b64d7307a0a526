"""Insurance payments, what patients chose, what insurance gave back; e-bills."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "b92e7d41f6c3"
down_revision = "e41b7f80d2c6"
branch_labels = None
depends_on = None


def _row(*columns: sa.Column[Any] | sa.Constraint) -> tuple[sa.Column[Any] | sa.Constraint, ...]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        *columns,
    )


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False)


def _fen(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _moments(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "insurance_order",
        *_row(
            sa.Column("payment_id", sa.Uuid(), nullable=False), _text("stream", 80),
            sa.Column("account_id", sa.Uuid(), nullable=False), _text("state", 32), _text("order_type", 20),
            _text("out_trade_no", 32), _text("serial_no", 20),
            sa.Column("pay_auth_no", sa.LargeBinary(), nullable=False),
            sa.Column("location", sa.LargeBinary(), nullable=False),
            _text("pay_order_id", 64), _text("mix_trade_no", 40), _text("prepay_id", 64),
            *_fen("gov", "own", "other", "cash", "freight"), _text("failure", 120), *_moments("authorised_at"),
            *_moments("quoted_at", "agreed_at", "placed_at", "ended_at", nullable=True),
            sa.CheckConstraint(
                "gov >= 0 AND own >= 0 AND other >= 0 AND cash >= 0 AND freight >= 0",
                name=op.f("ck_insurance_order_parts"),
            ),
            _key("insurance_order", "payment_id", "payment"), _key("insurance_order", "account_id", "account"),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_insurance_order")),
            sa.UniqueConstraint("out_trade_no", name=op.f("uq_insurance_order_out_trade_no")),
            sa.UniqueConstraint("serial_no", name=op.f("uq_insurance_order_serial_no")),
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_insurance_order_payment_id"), "insurance_order", ["payment_id"], unique=False)
    op.create_index(
        "uq_insurance_order_open", "insurance_order", ["payment_id"], unique=True,
        postgresql_where="state IN ('authorised', 'quoted', 'placed')",
    )  # fmt: skip
    op.create_table(
        "payment_choice",
        *_row(
            sa.Column("payment_id", sa.Uuid(), nullable=False), sa.Column("account_id", sa.Uuid(), nullable=False),
            _text("way", 12), _text("instead_of", 120), *_fen("insurance_amount", "cash_amount"),
            *_moments("chosen_at"), _key("payment_choice", "payment_id", "payment"),
            _key("payment_choice", "account_id", "account"),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_choice")),
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_payment_choice_payment_id"), "payment_choice", ["payment_id"], unique=False)
    op.create_table(
        "insurance_refund",
        *_row(
            sa.Column("refund_id", sa.Uuid(), nullable=False), sa.Column("order_id", sa.Uuid(), nullable=False),
            _text("refund_no", 40), _text("receipt", 64), *_fen("gov", "own", "other"), *_moments("refunded_at"),
            *_moments("told_at", nullable=True), _key("insurance_refund", "refund_id", "refund"),
            _key("insurance_refund", "order_id", "insurance_order"),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_insurance_refund")),
            sa.UniqueConstraint("refund_id", name=op.f("uq_insurance_refund_refund_id")),
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_insurance_refund_order_id"), "insurance_refund", ["order_id"], unique=False)
    op.create_table(
        "e_bill",
        *_row(
            sa.Column("payment_id", sa.Uuid(), nullable=False), _text("stream", 80),
            sa.Column("sequence", sa.Integer(), nullable=False), _text("state", 32),
            *_fen("gov", "own", "other", "cash"), *_moments("wanted_at"), _text("code", 8), _text("number", 10),
            _text("check_code", 6), _text("notice", 60), *_moments("issued_at", nullable=True),
            _text("red_number", 10), _text("red_check_code", 6), *_moments("red_at", nullable=True),
            sa.Column("red_for", sa.Uuid(), nullable=True), _text("problem", 160),
            sa.CheckConstraint(
                "gov >= 0 AND own >= 0 AND other >= 0 AND cash >= 0", name=op.f("ck_e_bill_parts")
            ),
            _key("e_bill", "payment_id", "payment"), _key("e_bill", "red_for", "refund"),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_e_bill")),
            sa.UniqueConstraint("payment_id", "sequence", name=op.f("uq_e_bill_payment_id_sequence")),
        ),
    )  # fmt: skip
    op.create_index(
        "uq_e_bill_live",
        "e_bill",
        ["payment_id"],
        unique=True,
        postgresql_where="state IN ('wanted', 'issued')",
    )


def downgrade() -> None:
    """Back."""
    for table in ("e_bill", "insurance_refund", "payment_choice", "insurance_order"):
        op.drop_table(table)
