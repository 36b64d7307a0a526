"""When an order was placed; and what a person does about an abnormal refund."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "e41b7f80d2c6"
down_revision = "5e9c07a4d2b1"
branch_labels = None
depends_on = None


def moment(name: str) -> sa.Column[datetime]:
    """A UTC instant that may be missing."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def upgrade() -> None:
    """Forward."""
    op.add_column("payment", moment("placed_at"))
    op.create_table(
        "refund_remedy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.String(length=12), nullable=False),
        sa.Column("bank_type", sa.String(length=32), nullable=False),
        sa.Column("card_number", sa.LargeBinary(), nullable=True),
        sa.Column("card_holder", sa.LargeBinary(), nullable=True),
        sa.Column("card_tail", sa.String(length=4), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        moment("sent_at"),
        moment("accepted_at"),
        moment("proven_at"),
        moment("done_at"),
        sa.Column("outcome", sa.String(length=120), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.Column("handed_over_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f("fk_refund_remedy_refund_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_remedy")),
    )
    op.create_index(op.f("ix_refund_remedy_refund_id"), "refund_remedy", ["refund_id"])
    op.create_index(
        "uq_refund_remedy_open",
        "refund_remedy",
        ["refund_id"],
        unique=True,
        postgresql_where="done_at IS NULL",
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("refund_remedy")
    op.drop_column("payment", "placed_at")
