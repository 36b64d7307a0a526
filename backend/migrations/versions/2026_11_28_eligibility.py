"""Eligibility: the rule file's hash, frozen evidence that can be decided again, papers of the patient, the doctor's judgement."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "5b8e04d7a1c6"
down_revision = "b7d20c94e1f6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. Every new column has a default: the old code goes on writing rows."""
    op.add_column("person", sa.Column(
        "hospital_merged_ids", postgresql.ARRAY(sa.String(80)), nullable=False, server_default="{}"))  # fmt: skip
    op.add_column("person", sa.Column("hospital_asked_on", sa.Date(), nullable=True))
    decision = "eligibility_decision"
    op.add_column(decision, sa.Column("acute", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column(decision, sa.Column("rule_sha256", sa.String(64), nullable=False, server_default=""))
    op.add_column(decision, sa.Column("considered", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(decision, sa.Column(
        "papers", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default="[]"))  # fmt: skip
    op.add_column(decision, sa.Column("only_department", sa.String(20), nullable=False, server_default=""))
    op.create_table(
        "follow_up_judgement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("encounter_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("is_follow_up", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["encounter_id"], ["encounter.id"], name=op.f("fk_follow_up_judgement_encounter_id")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_follow_up_judgement_practitioner_id")
        ),
        sa.UniqueConstraint("encounter_id", name=op.f("uq_follow_up_judgement_encounter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up_judgement")),
    )
    op.create_table(
        "patient_paper",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("object_key", sa.String(200), nullable=False),
        sa.Column("small_key", sa.String(200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_patient_paper_person_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_patient_paper_account_id")),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["eligibility_decision.id"], name=op.f("fk_patient_paper_decision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_paper")),
    )
    op.create_index("ix_patient_paper_person", "patient_paper", ["person_id", "at"])
    op.create_index("ix_patient_paper_decision", "patient_paper", ["decision_id"])


def downgrade() -> None:
    """Back."""
    op.drop_table("patient_paper")
    op.drop_table("follow_up_judgement")
    for name in ("only_department", "papers", "considered", "rule_sha256", "acute"):
        op.drop_column("eligibility_decision", name)
    op.drop_column("person", "hospital_asked_on")
    op.drop_column("person", "hospital_merged_ids")
