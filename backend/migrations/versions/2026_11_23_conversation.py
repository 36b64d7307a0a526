"""Machines' names on messages, read marks, what a file is, uploads in pieces."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "d4a7f31c90be"
down_revision = "91c6e0b2a7d4"
branch_labels = None
depends_on = None

SIZES = ("width", "height", "duration_ms")


def _row() -> list[sa.Column[uuid.UUID]]:
    return [sa.Column(name, sa.Uuid(), nullable=False) for name in ("id", "hospital_id")]


def upgrade() -> None:
    """Forward."""
    op.add_column(
        "chat_message", sa.Column("machine", sa.String(length=20), nullable=False, server_default="")
    )
    op.execute("UPDATE chat_message SET machine = 'platform' WHERE sender = 'system'")
    op.alter_column("chat_message", "kind", type_=sa.String(length=12))
    op.create_check_constraint(
        op.f("ck_chat_message_nobody_speaks_for_a_machine"),
        "chat_message",
        "(sender = 'system') = (sender_id IS NULL)",
    )
    # Not valid: rows of the code that still runs have no name; validated with the next release.
    op.execute(
        "ALTER TABLE chat_message ADD CONSTRAINT ck_chat_message_machines_are_named"
        " CHECK ((sender = 'system') = (machine <> '')) NOT VALID"
    )
    op.add_column(
        "attachment", sa.Column("small_key", sa.String(length=200), nullable=False, server_default="")
    )
    for name in SIZES:
        op.add_column("attachment", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "chat_read_mark",
        *_row(),
        sa.Column("encounter_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["encounter_id"], ["encounter.id"], name=op.f("fk_chat_read_mark_encounter_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_read_mark")),
        sa.UniqueConstraint("encounter_id", "side", name=op.f("uq_chat_read_mark_encounter_id_side")),
    )
    _uploads()


def _uploads() -> None:
    op.create_table(
        "chat_upload",
        *_row(),
        sa.Column("encounter_id", sa.Uuid(), nullable=False),
        sa.Column("sender", sa.String(length=10), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("attachment_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("received >= 0 AND received <= size", name=op.f("ck_chat_upload_received")),
        sa.ForeignKeyConstraint(["encounter_id"], ["encounter.id"], name=op.f("fk_chat_upload_encounter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_upload")),
        sa.UniqueConstraint("encounter_id", "client_id", name=op.f("uq_chat_upload_encounter_id_client_id")),
    )
    op.create_table(
        "chat_upload_part",
        *_row(),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("object_key", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["chat_upload.id"], name=op.f("fk_chat_upload_part_upload_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_upload_part")),
    )
    op.create_index(op.f("ix_chat_upload_part_upload_id"), "chat_upload_part", ["upload_id"])
    op.create_index(
        "uq_chat_upload_part_safe", "chat_upload_part", ["upload_id", "start"], unique=True,
        postgresql_where="size > 0",
    )  # fmt: skip


def downgrade() -> None:
    """Back."""
    for name in ("chat_upload_part", "chat_upload", "chat_read_mark"):
        op.drop_table(name)
    for name in ("small_key", *SIZES):
        op.drop_column("attachment", name)
    for name in ("machines_are_named", "nobody_speaks_for_a_machine"):
        op.drop_constraint(op.f(f"ck_chat_message_{name}"), "chat_message")
    op.drop_column("chat_message", "machine")
