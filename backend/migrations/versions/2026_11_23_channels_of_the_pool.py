"""Places kept for a channel, when a slot goes on sale, when shares end, when it was stopped; whose place an appointment has."""

import sqlalchemy as sa
from alembic import op

revision = "0b7c5d2f91a4"
down_revision = "e3180d22937a"
branch_labels = None
depends_on = None

HELD = ("held_follow_up", "held_staff", "held_referral")
MOMENTS = ("released_at", "shares_end_at", "stopped_at")


def upgrade() -> None:
    """Forward."""
    for name in HELD:
        op.add_column("slot", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    for name in MOMENTS:
        op.add_column("slot", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("slot", sa.Column("source", sa.String(length=10), nullable=False, server_default="own"))
    op.create_check_constraint(
        op.f("ck_slot_held"),
        "slot",
        "held_follow_up >= 0 AND held_staff >= 0 AND held_referral >= 0"
        " AND held_follow_up + held_staff + held_referral <= remaining",
    )
    for name in ("channel", "place"):
        op.add_column(
            "appointment",
            sa.Column(name, sa.String(length=32), nullable=False, server_default="general"),
        )


def downgrade() -> None:
    """Back."""
    for name in ("place", "channel"):
        op.drop_column("appointment", name)
    op.drop_constraint(op.f("ck_slot_held"), "slot")
    for name in ("source", *MOMENTS, *HELD):
        op.drop_column("slot", name)
