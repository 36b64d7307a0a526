"""Finds the events of a day: they lie together, so a summary of blocks is enough and costs the writer almost nothing."""

from alembic import op

revision = "e4c1972f0ab8"
down_revision = "c4a91e7f20b8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_index("ix_outbox_event_occurred_at", "outbox_event", ["occurred_at"], postgresql_using="brin")


def downgrade() -> None:
    """Back."""
    op.drop_index("ix_outbox_event_occurred_at", "outbox_event")
