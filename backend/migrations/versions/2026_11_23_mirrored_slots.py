"""Until when a mirrored slot may be trusted, and how the doctor sees patients in a slot."""

import sqlalchemy as sa
from alembic import op

revision = "5a41c0e7d9b3"
down_revision = "5d1f0a7c63b2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("slot", sa.Column("fresh_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("slot", sa.Column("mode", sa.String(length=10), nullable=False, server_default="any"))


def downgrade() -> None:
    """Back."""
    op.drop_column("slot", "mode")
    op.drop_column("slot", "fresh_until")
