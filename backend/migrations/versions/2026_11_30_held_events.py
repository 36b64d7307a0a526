"""Events that cannot go for a reason of their own: why, and how often that was seen. Old code leaves both at their defaults."""

import sqlalchemy as sa
from alembic import op

revision = "a90d3e6b5c17"
down_revision = "3ab6f1c07d52"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("outbox_event", sa.Column("held_times", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "outbox_event", sa.Column("held_reason", sa.String(length=40), nullable=False, server_default="")
    )
    op.create_index(
        "ix_outbox_event_held",
        "outbox_event",
        ["claimed_until"],
        postgresql_where="relayed_at IS NULL AND held_times > 0",
    )


def downgrade() -> None:
    """Back."""
    op.drop_index("ix_outbox_event_held", "outbox_event")
    op.drop_column("outbox_event", "held_reason")
    op.drop_column("outbox_event", "held_times")
