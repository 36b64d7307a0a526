"""Notices over several channels with every attempt written down; escalations and their rungs."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "c83e5a1f7d26"
down_revision = "a6c05d18e3f7"
branch_labels = None
depends_on = None


def _row() -> list[sa.Column[uuid.UUID]]:
    return [sa.Column(name, sa.Uuid(), nullable=False) for name in ("id", "hospital_id")]


def upgrade() -> None:
    """Forward."""
    op.add_column("notification", sa.Column("count", sa.Integer(), nullable=False, server_default="1"))
    op.add_column(
        "notification",
        sa.Column("channels", sa.String(length=60), nullable=False, server_default="wechat call_list"),
    )
    op.add_column("notification", sa.Column("called_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notification", sa.Column("called_by", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_notification_calls", "notification", ["made_at"],
        postgresql_where="channel = 'call_list' AND called_at IS NULL",
    )  # fmt: skip
    op.create_table(
        "notification_delivery",
        *_row(),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.String(length=80), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["notification.id"], name=op.f("fk_notification_delivery_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_delivery")),
    )
    op.create_index(op.f("ix_notification_delivery_message_id"), "notification_delivery", ["message_id"])
    _escalations()


def _escalations() -> None:
    op.create_table(
        "escalation",
        *_row(),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("about", sa.LargeBinary(), nullable=False),
        sa.Column("link", sa.String(length=200), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unseen_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_reason", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation")),
    )
    op.create_index(op.f("ix_escalation_subject_id"), "escalation", ["subject_id"])
    op.create_index(
        "ix_escalation_doctor", "escalation", ["practitioner_id"], postgresql_where="state <> 'closed'"
    )
    op.create_index(
        "uq_escalation_open", "escalation", ["kind", "subject_id"], unique=True, postgresql_where="state <> 'closed'"
    )  # fmt: skip
    op.create_table(
        "escalation_step",
        *_row(),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("rung", sa.String(length=32), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("bundled", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalation.id"], name=op.f("fk_escalation_step_escalation_id")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["notification.id"], name=op.f("fk_escalation_step_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_step")),
    )
    op.create_index(op.f("ix_escalation_step_escalation_id"), "escalation_step", ["escalation_id"])


def downgrade() -> None:
    """Back."""
    for name in ("escalation_step", "escalation", "notification_delivery"):
        op.drop_table(name)
    op.drop_index("ix_notification_calls", "notification")
    for name in ("called_by", "called_at", "channels", "count"):
        op.drop_column("notification", name)
