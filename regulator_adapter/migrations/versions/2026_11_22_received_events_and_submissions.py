"""Received events, submissions, sealed audit."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_1"
down_revision = None
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('received', 'mapped', 'submitted')")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _row() -> tuple[sa.Column[object], sa.Column[object]]:
    return sa.Column("id", sa.Uuid(), nullable=False), sa.Column("hospital_id", sa.Uuid(), nullable=False)


def _received_event() -> None:
    op.create_table(
        "received_event",
        *_row(),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stream", sa.String(80), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        _moment("occurred_at"),
        _moment("received_at"),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("linked", sa.Boolean()),
        sa.PrimaryKeyConstraint("id", name="pk_received_event"),
        sa.UniqueConstraint("event_id", name="uq_received_event_event_id"),
        sa.UniqueConstraint("hospital_id", "number", name="uq_received_event_hospital_id_number"),
    )
    op.create_index("ix_received_event_stream", "received_event", ["hospital_id", "stream", "sequence"])


def _submission() -> None:
    op.create_table(
        "submission",
        *_row(),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.String(60), nullable=False),
        sa.Column("stream", sa.String(80), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        _moment("occurred_at"),
        sa.Column("profile", sa.String(40), nullable=False),
        sa.Column("method", sa.String(60), nullable=False),
        sa.Column("business_number", sa.String(100), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("record", sa.LargeBinary()),
        sa.Column("record_digest", sa.LargeBinary()),
        sa.Column("makes", sa.String(160), nullable=False),
        sa.Column("needs", sa.ARRAY(sa.String(160)), nullable=False),
        sa.Column("lane", sa.String(80), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        _moment("due_at"),
        _moment("claimed_until", nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("in_flight", sa.Boolean(), nullable=False),
        sa.Column("ambiguous", sa.Integer(), nullable=False),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.Column("reply_code", sa.String(40), nullable=False),
        sa.Column("reply_text", sa.Text(), nullable=False),
        sa.Column("sent_digest", sa.String(64), nullable=False),
        sa.Column("receipt", sa.String(80), nullable=False),
        _moment("submitted_at", nullable=True),
        _moment("accepted_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_submission"),
        sa.ForeignKeyConstraint(["event_id"], ["received_event.event_id"], name="fk_submission_event_id"),
        sa.UniqueConstraint(
            "event_id", "profile", "method", "business_number",
            name="uq_submission_event_id_profile_method_business_number",
        ),
    )  # fmt: skip
    op.create_index("ix_submission_due", "submission", ["profile", "number"], postgresql_where=OPEN)
    op.create_index("ix_submission_lane", "submission", ["profile", "lane", "rank"], postgresql_where=OPEN)
    for name, columns, where in (
        ("ix_submission_unmapped", ["number"], "state = 'received'"),
        ("ix_submission_blocked", ["profile"], "blocked"),
        ("ix_submission_makes", ["profile", "makes"], "state = 'accepted'"),
        ("ix_submission_desk", ["state", "number"], "state IN ('rejected', 'parked')"),
    ):
        op.create_index(name, "submission", columns, postgresql_where=sa.text(where))


def _audit() -> None:
    op.create_table(
        "audit_event",
        *_row(),
        sa.Column("ordinal", sa.BigInteger(), sa.Identity(), nullable=False),
        _moment("at"),
        sa.Column("actor_kind", sa.String(20), nullable=False),
        sa.Column("actor_id", sa.Uuid()),
        sa.Column("action", sa.String(80), nullable=False),
        sa.Column("subject_kind", sa.String(40), nullable=False),
        sa.Column("subject_id", sa.String(80), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_number", sa.BigInteger()),
        sa.Column("head", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name="pk_audit_event"),
        sa.UniqueConstraint("ordinal", name="uq_audit_event_ordinal"),
        sa.UniqueConstraint("sealed_number", name="uq_audit_event_sealed_number"),
    )
    op.create_index(
        "ix_audit_event_unsealed",
        "audit_event",
        ["ordinal"],
        postgresql_where=sa.text("sealed_number IS NULL"),
    )
    op.create_index("ix_audit_event_subject", "audit_event", ["subject_kind", "subject_id"])
    op.create_table(
        "chain_head",
        *_row(),
        sa.Column("chain", sa.String(20), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chain_head"),
        sa.UniqueConstraint("chain", name="uq_chain_head_chain"),
    )


def upgrade() -> None:
    """Make everything."""
    _received_event()
    _submission()
    _audit()


def downgrade() -> None:
    """Take it away again; only for a database without events."""
    for table in ("chain_head", "audit_event", "submission", "received_event"):
        op.drop_table(table)
