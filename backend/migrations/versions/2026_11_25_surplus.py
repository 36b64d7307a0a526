"""A slot that was made smaller than what had been sold knows how many places vanish when they come back."""

import sqlalchemy as sa
from alembic import op

revision = "b41f7c90e6d3"
down_revision = "4d1f7b09e6c3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. Who is still to leave a slot that was made smaller before takes her place with her too."""
    op.add_column("slot", sa.Column("surplus", sa.Integer(), nullable=False, server_default="0"))
    op.create_check_constraint(op.f("ck_slot_surplus"), "slot", "surplus >= 0")
    op.execute(
        "UPDATE slot SET surplus = leaving.people FROM ("
        "SELECT from_slot_id, count(*) AS people FROM relocation"
        " JOIN schedule_change ON schedule_change.id = relocation.change_id AND schedule_change.surplus"
        " WHERE relocation.state = 'planned' GROUP BY from_slot_id"
        ") AS leaving WHERE leaving.from_slot_id = slot.id"
    )


def downgrade() -> None:
    """Back."""
    op.drop_constraint(op.f("ck_slot_surplus"), "slot", type_="check")
    op.drop_column("slot", "surplus")
