"""What the hospital's systems said by themselves, and a way from their digest of a patient to the person."""

import sqlalchemy as sa
from alembic import op

revision = "b7d20c94e1f6"
down_revision = "a83d17c5e904"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "hospital_hint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hospital_hint")),
        sa.UniqueConstraint("hospital_id", "key", name=op.f("uq_hospital_hint_hospital_id_key")),
    )
    op.create_table(
        "hinted_person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("hint_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["hint_id"], ["hospital_hint.id"], name=op.f("fk_hinted_person_hint_id_hospital_hint")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_hinted_person_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hinted_person")),
        sa.UniqueConstraint("hint_id", "person_id", name=op.f("uq_hinted_person_hint_id_person_id")),
    )
    op.create_index(
        "ix_hinted_person_new", "hinted_person", ["person_id"], postgresql_where=sa.text("seen_at IS NULL")
    )
    op.create_index(
        "ix_person_hospital_digest",
        "person",
        [sa.text("encode(sha256(CAST('Patient/' || hospital_patient_id AS BYTEA)), 'hex')")],
    )


def downgrade() -> None:
    """Back."""
    op.drop_index("ix_person_hospital_digest", "person")
    op.drop_table("hinted_person")
    op.drop_table("hospital_hint")
