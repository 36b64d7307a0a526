"""A row for each day's sign-in."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_1"
down_revision = "20261122_1"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Add the table; the running code does not know it."""
    op.create_table(
        "daily_sign_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("profile", sa.String(40), nullable=False),
        sa.Column("method", sa.String(60), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        _moment("due_at"),
        _moment("claimed_until", nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reply_code", sa.String(40), nullable=False),
        sa.Column("reply_text", sa.Text(), nullable=False),
        sa.Column("sent_digest", sa.String(64), nullable=False),
        _moment("closed_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_daily_sign_in"),
        sa.UniqueConstraint(
            "hospital_id", "profile", "method", "day", name="uq_daily_sign_in_hospital_id_profile_method_day"
        ),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("daily_sign_in")
