"""The feed at speed: what waits for a number is found by that number, and the content of an event may go once its day is closed."""

import sqlalchemy as sa
from alembic import op

revision = "20261126_1"
down_revision = "20261125_1"
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('received', 'mapped', 'submitted')")
WAITING = sa.text("blocked AND state IN ('received', 'mapped', 'submitted')")


def upgrade() -> None:
    """Forward; both may be done while the old code runs."""
    op.alter_column("received_event", "payload", existing_type=sa.LargeBinary(), nullable=True)
    # A queue: most of the time nothing is open. Whoever plans by that reads the whole backlog, row by row, when there is one.
    op.execute("ALTER TABLE submission ALTER COLUMN state SET STATISTICS 0")
    op.drop_index("ix_submission_lane", "submission")
    op.create_index("ix_submission_lane", "submission", ["lane", "rank"], postgresql_where=OPEN)
    op.create_index(
        "ix_submission_needs", "submission", ["needs"], postgresql_using="gin", postgresql_where=WAITING
    )
    op.create_index(
        "ix_received_event_kept",
        "received_event",
        ["occurred_at"],
        postgresql_where=sa.text("payload IS NOT NULL"),
    )


def downgrade() -> None:
    """Back; only where no content was dropped."""
    op.drop_index("ix_received_event_kept", "received_event")
    op.drop_index("ix_submission_needs", "submission")
    op.drop_index("ix_submission_lane", "submission")
    op.create_index("ix_submission_lane", "submission", ["profile", "lane", "rank"], postgresql_where=OPEN)
    op.execute("ALTER TABLE submission ALTER COLUMN state SET STATISTICS DEFAULT")
    op.alter_column("received_event", "payload", existing_type=sa.LargeBinary(), nullable=False)
