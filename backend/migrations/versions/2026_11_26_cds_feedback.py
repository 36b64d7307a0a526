"""What callers of the CDS Hooks service told us became of its cards."""

import sqlalchemy as sa
from alembic import op

revision = "6c2e9a417bd0"
down_revision = "6e0d3c8a92f5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "cds_feedback",
        sa.Column("issuer", sa.String(200), nullable=False),
        sa.Column("service", sa.String(60), nullable=False),
        sa.Column("card", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("reason_code", sa.String(60), nullable=False),
        sa.Column("comment", sa.LargeBinary(), nullable=False),
        sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cds_feedback")),
        sa.UniqueConstraint("issuer", "card", name=op.f("uq_cds_feedback_issuer_card")),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("cds_feedback")
