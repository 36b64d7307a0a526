"""A visit knows how long its pauses lasted together: they stop its clock only so long."""

import sqlalchemy as sa
from alembic import op

revision = "e27a90c4b8f1"
down_revision = "b41f7c90e6d3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("encounter", sa.Column("paused_seconds", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Back."""
    op.drop_column("encounter", "paused_seconds")
