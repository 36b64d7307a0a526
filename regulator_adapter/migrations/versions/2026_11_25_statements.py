"""Days: statements of both sides, counts read by people, and records that a named person carried over."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "20261125_1"
down_revision = "20261122_1"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _statement() -> None:
    op.create_table(
        "statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("supplement", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("scanned", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("sent", "ours")),
        sa.Column("our_seal", JSONB(), nullable=True),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("their_seal", JSONB(), nullable=True),
        sa.Column("closing", sa.LargeBinary(), nullable=True),
        sa.Column("closing_seal", JSONB(), nullable=True),
        sa.Column("differences", JSONB(), nullable=False),
        sa.Column("repairs", JSONB(), nullable=False),
        *(sa.Column(name, MOMENT, nullable=True) for name in ("claimed_until", "exchanged_at", "closed_at")),
        sa.PrimaryKeyConstraint("id", name="pk_statement"),
        sa.UniqueConstraint(
            "hospital_id", "day", "supplement", name="uq_statement_hospital_id_day_supplement"
        ),
    )
    op.create_index(
        "ix_statement_unclosed", "statement", ["hospital_id", "day"], unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )  # fmt: skip


def _platform_count() -> None:
    op.create_table(
        "platform_count",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("profile", sa.String(40), nullable=False),
        sa.Column("method", sa.String(60), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.LargeBinary(), nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_platform_count"),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name="fk_platform_count_statement_id"),
        sa.UniqueConstraint(
            "statement_id", "profile", "method", name="uq_platform_count_statement_id_profile_method"
        ),
    )


def upgrade() -> None:
    """Forward. The day's events lie together in a feed, so that a summary of blocks finds them at almost no cost."""
    _statement()
    _platform_count()
    op.add_column("submission", sa.Column("carried_at", MOMENT, nullable=True))
    op.add_column("submission", sa.Column("carried_by", sa.LargeBinary(), nullable=True))
    op.add_column("submission", sa.Column("carried_reason", sa.LargeBinary(), nullable=True))
    for table in ("received_event", "submission"):
        op.create_index(f"ix_{table}_occurred_at", table, ["occurred_at"], postgresql_using="brin")


def downgrade() -> None:
    """Back; only where no day was closed."""
    for table in ("received_event", "submission"):
        op.drop_index(f"ix_{table}_occurred_at", table)
    for column in ("carried_reason", "carried_by", "carried_at"):
        op.drop_column("submission", column)
    for table in ("platform_count", "statement"):
        op.drop_table(table)
