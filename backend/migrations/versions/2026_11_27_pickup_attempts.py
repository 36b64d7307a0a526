"""Pick-up codes that were typed at the desk are counted."""

import sqlalchemy as sa
from alembic import op

revision = "a83d17c5e904"
down_revision = "6c2e9a417bd0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "pickup_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("dispense_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("fits", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispense_id"], ["dispense.id"], name=op.f("fk_pickup_attempt_dispense_id_dispense")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pickup_attempt")),
    )
    op.create_index("ix_pickup_attempt_dispense", "pickup_attempt", ["dispense_id", "at"])
    op.create_index("ix_pickup_attempt_actor", "pickup_attempt", ["actor_id", "at"])


def downgrade() -> None:
    """Back."""
    op.drop_table("pickup_attempt")
