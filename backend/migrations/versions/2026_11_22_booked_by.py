"""Who booked an appointment: herself, a guardian, a proxy."""

import sqlalchemy as sa
from alembic import op

revision = "e3180d22937a"
down_revision = "dca5676d0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column(
        "appointment", sa.Column("booked_by", sa.String(length=12), nullable=False, server_default="self")
    )


def downgrade() -> None:
    """Back."""
    op.drop_column("appointment", "booked_by")
