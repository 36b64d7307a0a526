"""Refunds: closed by a person or by the provider, several by agreement for one bill, and a new number for returned cash.

What a person closed may still arrive. An agreed refund that is done does not stand in the way of the next. The cash of an
insurance order that WeChat Pay closed on its way back needs another number.
"""

import sqlalchemy as sa
from alembic import op

revision = "4d1f7b09e6c3"
down_revision = "c83e5a1f7d26"
branch_labels = None
depends_on = None

KNOWN = """
UPDATE refund SET given_up_at = decided_at WHERE state = 'closed' AND decided_at IS NOT NULL AND EXISTS (
    SELECT FROM audit_event
    WHERE action = 'refund.close' AND actor_kind = 'staff' AND outcome = 'ok' AND subject_id = refund.id::text
)
"""
ALIVE = "state NOT IN ('closed', 'rejected')"
IN_THE_WAY = f"{ALIVE} AND NOT (reason = 'by_agreement' AND state = 'succeeded')"


def upgrade() -> None:
    """Forward. Who closed those of before stands in the audit trail."""
    op.add_column("refund", sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(KNOWN)
    _one_of_a_kind(IN_THE_WAY)
    op.add_column(
        "insurance_order", sa.Column("return_no", sa.String(length=40), server_default="", nullable=False)
    )


def downgrade() -> None:
    """Back. Fails where a bill has two agreed refunds: nothing can be made of them."""
    op.drop_column("insurance_order", "return_no")
    _one_of_a_kind(ALIVE)
    op.drop_column("refund", "given_up_at")


def _one_of_a_kind(where: str) -> None:
    op.drop_index("uq_refund_alive", table_name="refund")
    op.create_index(
        "uq_refund_alive", "refund", ["payment_id", "reason"], unique=True, postgresql_where=where
    )
