"""Fees kept from the hospital's window, the hospital's shelf, and digests of merged numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "c4e81f07a9d3"
down_revision = "5b8e04d7a1c6"
branch_labels = None
depends_on = None

_DIGESTS = """
UPDATE person SET hospital_merged_digests = ARRAY(
  SELECT encode(sha256(CAST('Patient/' || one AS BYTEA)), 'hex') FROM unnest(hospital_merged_ids) AS one
) WHERE hospital_merged_ids <> '{}'
"""


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "fee_lock",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("lift_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_code", sa.String(60), nullable=False),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_fee_lock_payment_id_payment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fee_lock")),
    )
    op.create_index(op.f("ix_fee_lock_payment_id"), "fee_lock", ["payment_id"])
    op.create_index(
        "uq_fee_lock_alive", "fee_lock", ["payment_id"], unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "hospital_shelf",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("drug_code", sa.String(30), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hospital_shelf")),
        sa.UniqueConstraint("hospital_id", "drug_code", name=op.f("uq_hospital_shelf_hospital_id_drug_code")),
    )
    op.add_column(
        "person",
        sa.Column(
            "hospital_merged_digests", postgresql.ARRAY(sa.String(64)), nullable=False, server_default="{}"
        ),
    )
    op.execute(_DIGESTS)
    op.create_index("ix_person_merged_digests", "person", ["hospital_merged_digests"], postgresql_using="gin")


def downgrade() -> None:
    """Back."""
    op.drop_index("ix_person_merged_digests", "person")
    op.drop_column("person", "hospital_merged_digests")
    op.drop_table("hospital_shelf")
    op.drop_table("fee_lock")
