"""A refund may be redirected on WeChat Pay's own platform: then nobody asked for it here."""

import sqlalchemy as sa
from alembic import op

revision = "f0c2a9d46b17"
down_revision = "3f8d1b6c90ea"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.alter_column("refund_remedy", "asked_by", existing_type=sa.Uuid(), nullable=True)


def downgrade() -> None:
    """Back."""
    op.execute("DELETE FROM refund_remedy WHERE asked_by IS NULL")
    op.alter_column("refund_remedy", "asked_by", existing_type=sa.Uuid(), nullable=False)
