"""Look-ins on live consultations; views, films and legal holds of recordings, and when a recording was deleted."""

import sqlalchemy as sa
from alembic import op

revision = "c81f4e60a7d5"
down_revision = "b92e7d41f6c3"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Forward."""
    op.add_column("recording", sa.Column("deleted_at", MOMENT, nullable=True))
    _table(
        "recording_hold",
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("placed_by", sa.Uuid(), nullable=False),
        sa.Column("placed_at", MOMENT, nullable=False),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.Column("lifted_at", MOMENT, nullable=True),
    )
    op.create_index(
        "uq_recording_hold_standing", "recording_hold", ["encounter_id"], unique=True,
        postgresql_where="lifted_at IS NULL",
    )  # fmt: skip
    _table(
        "recording_view",
        sa.Column("viewer_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
    )
    op.create_index(
        "ix_recording_view_encounter", "recording_view", ["encounter_id", "opened_at"], unique=False
    )
    _table(
        "recording_film",
        sa.Column("track", sa.String(length=12), nullable=False),
        sa.Column("sources", sa.String(length=64), nullable=False),
        sa.Column("object_key", sa.String(length=200), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("ready_at", MOMENT, nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=200), nullable=False),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.UniqueConstraint(
            "encounter_id", "track", "sources", name=op.f("uq_recording_film_encounter_id_track_sources")
        ),
    )
    _table(
        "look_in",
        sa.Column("supervisor_kind", sa.String(length=20), nullable=False),
        sa.Column("supervisor_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
    )
    op.create_index("ix_look_in_encounter", "look_in", ["encounter_id", "opened_at"], unique=False)


def _table(name: str, *more: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("encounter_id", sa.Uuid(), nullable=False),
        *more,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )


def downgrade() -> None:
    """Back."""
    op.drop_index("ix_look_in_encounter", table_name="look_in")
    op.drop_table("look_in")
    op.drop_table("recording_film")
    op.drop_index("ix_recording_view_encounter", table_name="recording_view")
    op.drop_table("recording_view")
    op.drop_index(
        "uq_recording_hold_standing", table_name="recording_hold", postgresql_where="lifted_at IS NULL"
    )
    op.drop_table("recording_hold")
    op.drop_column("recording", "deleted_at")
