"""Copies at the hospital, and records whose content may go from here."""

import sqlalchemy as sa
from alembic import op

revision = "c4a91e7f20b8"
down_revision = "c4e81f07a9d3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "kept_copy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("object_key", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("encounter_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("refused_code", sa.String(60), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("copied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_copy")),
        sa.UniqueConstraint("object_key", name=op.f("uq_kept_copy_object_key")),
    )
    op.create_index("ix_kept_copy_encounter_id", "kept_copy", ["encounter_id"])
    op.create_index("ix_kept_copy_subject", "kept_copy", ["subject_id"])
    op.create_index(
        "ix_kept_copy_verified", "kept_copy", ["verified_at"], postgresql_where=sa.text("state = 'verified'")
    )
    op.alter_column("medical_record", "content", nullable=True)


def downgrade() -> None:
    """Back; refused where content was dropped."""
    op.alter_column("medical_record", "content", nullable=False)
    op.drop_table("kept_copy")
