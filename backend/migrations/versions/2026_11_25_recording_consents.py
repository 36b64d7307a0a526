"""Each decision about being recorded is a row: who, acting as whom, on which text, when. A visit keeps only the last one.

Consents of before stand in the conversation alone; nothing is made up for them.
"""

import sqlalchemy as sa
from alembic import op

revision = "f1b83d5e07c4"
down_revision = "e27a90c4b8f1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "recording_consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("encounter_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("acts_as", sa.String(length=12), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("text_version", sa.String(length=20), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording_consent")),
    )
    op.create_index(
        "ix_recording_consent_encounter", "recording_consent", ["encounter_id", "at"], unique=False
    )


def downgrade() -> None:
    """Back."""
    op.drop_index("ix_recording_consent_encounter", table_name="recording_consent")
    op.drop_table("recording_consent")
