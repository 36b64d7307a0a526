"""Refunds cite their rule, wait for an approver where it names one, and have deadlines; a dead one may be asked for anew."""

import sqlalchemy as sa
from alembic import op

revision = "5d1f0a7c63b2"
down_revision = "0b7c5d2f91a4"
branch_labels = None
depends_on = None

MOMENTS = ("approve_by", "decided_at", "settle_by", "alarmed_at")
ALIVE = "state NOT IN ('closed', 'rejected')"
OPEN = "state NOT IN ('succeeded', 'closed', 'rejected')"


def upgrade() -> None:
    """Forward."""
    op.add_column("refund", sa.Column("rule_id", sa.String(length=10), nullable=False, server_default=""))
    op.add_column(
        "refund", sa.Column("rule_version", sa.String(length=20), nullable=False, server_default="")
    )
    for name in ("note", "decision_note"):
        op.add_column("refund", sa.Column(name, sa.LargeBinary(), nullable=True))
    for name in ("requested_by", "decided_by"):
        op.add_column("refund", sa.Column(name, sa.Uuid(), nullable=True))
    for name in MOMENTS:
        op.add_column("refund", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "uq_refund_alive", "refund", ["payment_id", "reason"], unique=True, postgresql_where=ALIVE
    )
    op.create_index("ix_refund_open", "refund", ["requested_at"], unique=False, postgresql_where=OPEN)
    op.drop_constraint(op.f("uq_refund_payment_id_reason"), "refund", type_="unique")


def downgrade() -> None:
    """Back."""
    op.create_unique_constraint(op.f("uq_refund_payment_id_reason"), "refund", ["payment_id", "reason"])
    op.drop_index("ix_refund_open", table_name="refund")
    op.drop_index("uq_refund_alive", table_name="refund")
    for name in (*MOMENTS, "requested_by", "decided_by", "note", "decision_note", "rule_id", "rule_version"):
        op.drop_column("refund", name)
