"""Signatures have a time stamp, and what is signed has a sheet (PDF) for people."""

import sqlalchemy as sa
from alembic import op

revision = "6e0d3c8a92f5"
down_revision = "9d41c7e2a5f0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. Signatures of before have no time stamp, and none is made up for them."""
    op.add_column("signature", sa.Column("time_stamp", sa.LargeBinary(), nullable=False, server_default=""))
    op.create_table(
        "sheet",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("subject_kind", sa.String(length=30), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("object_key", sa.String(length=120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet")),
        sa.UniqueConstraint(
            "subject_kind",
            "subject_id",
            "digest",
            "stage",
            name=op.f("uq_sheet_subject_kind_subject_id_digest_stage"),
        ),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("sheet")
    op.drop_column("signature", "time_stamp")
