"""The records of a closed day as they stood at its closing; and days are looked for once more from the first event on."""

import sqlalchemy as sa
from alembic import op

revision = "20261127_1"
down_revision = "20261126_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. `scanned` had passed over events of days that were not over, which then nobody opened."""
    op.create_table(
        "frozen_records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("records", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_frozen_records"),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name="fk_frozen_records_statement_id"),
        sa.UniqueConstraint("statement_id", "page", name="uq_frozen_records_statement_id_page"),
    )
    op.add_column("received_event", sa.Column("records", sa.Integer(), nullable=True))
    op.execute("UPDATE statement SET scanned = 0")


def downgrade() -> None:
    """Back; the proofs of closed days are made from the rows again."""
    op.drop_column("received_event", "records")
    op.drop_table("frozen_records")
