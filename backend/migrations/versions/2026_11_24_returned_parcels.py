"""Why drugs came back, and who said so."""

import sqlalchemy as sa
from alembic import op

revision = "b6f21d9a7e38"
down_revision = "7c1e5b0d94af"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column(
        "dispense", sa.Column("return_cause", sa.String(length=12), nullable=False, server_default="")
    )
    op.add_column("dispense", sa.Column("return_judged_by", sa.Uuid(), nullable=True))
    op.add_column("dispense", sa.Column("return_judged_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back."""
    for name in ("return_judged_at", "return_judged_by", "return_cause"):
        op.drop_column("dispense", name)
