"""The content of an event may go once its day is closed; what is closed is remembered."""

import sqlalchemy as sa
from alembic import op

revision = "c41f7e90a2d8"
down_revision = "e4c1972f0ab8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward; the old code never writes NULL and never reads a dropped content."""
    op.alter_column("outbox_event", "payload", existing_type=sa.LargeBinary(), nullable=True)
    op.create_index(
        "ix_outbox_event_kept",
        "outbox_event",
        ["occurred_at"],
        postgresql_where=sa.text("payload IS NOT NULL"),
    )


def downgrade() -> None:
    """Back; only where no content was dropped."""
    op.drop_index("ix_outbox_event_kept", "outbox_event")
    op.alter_column("outbox_event", "payload", existing_type=sa.LargeBinary(), nullable=False)
