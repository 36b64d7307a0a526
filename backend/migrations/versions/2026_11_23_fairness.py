"""No-shows and pauses of booking, draws at release, what a proxy was granted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "91c6e0b2a7d4"
down_revision = "c6e0f4a1b872"
branch_labels = None
depends_on = None

WORDS = postgresql.ARRAY(sa.String(length=20))


def upgrade() -> None:
    """Forward. Proxies of before were granted everything."""
    for table in ("person_grant", "grant_code"):
        op.add_column(table, sa.Column("scope", WORDS, nullable=False, server_default="{book,records}"))
    op.create_table(
        "absence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pause_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_absence_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
        sa.UniqueConstraint("appointment_id", name=op.f("uq_absence_appointment_id")),
    )
    op.create_index(op.f("ix_absence_person_id"), "absence", ["person_id"], unique=False)
    op.create_table(
        "booking_pause",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.Column("lift_reason", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_booking_pause_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_pause")),
    )
    op.create_index("ix_booking_pause_person", "booking_pause", ["person_id", "ends_at"], unique=False)
    op.create_table(
        "release_draw",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=True),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.Column("given", sa.Integer(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_release_draw_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_draw")),
        sa.UniqueConstraint(
            "practitioner_id",
            "day",
            "released_at",
            name=op.f("uq_release_draw_practitioner_id_day_released_at"),
        ),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("release_draw")
    op.drop_table("booking_pause")
    op.drop_table("absence")
    for table in ("grant_code", "person_grant"):
        op.drop_column(table, "scope")
