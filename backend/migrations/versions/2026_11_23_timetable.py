"""Doctors' weekly sessions and changes of days, stops, the calendar, pharmacists' hours, and where slots come from."""

import sqlalchemy as sa
from alembic import op

revision = "c6e0f4a1b872"
down_revision = "8e42b19d0c57"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "calendar_day",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("as_weekday", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "kind IN ('holiday', 'workday') AND as_weekday BETWEEN 1 AND 7", name=op.f("ck_calendar_day_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_day")),
        sa.UniqueConstraint("hospital_id", "day", name=op.f("uq_calendar_day_hospital_id_day")),
    )
    op.create_table(
        "day_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("department_code", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("dropped", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("begins", sa.Integer(), nullable=False),
        sa.Column("ends", sa.Integer(), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("held_follow_up", sa.Integer(), nullable=False),
        sa.Column("held_staff", sa.Integer(), nullable=False),
        sa.Column("held_referral", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("price_code", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "begins >= 0 AND begins < ends AND ends <= 1440 AND segment > 0 AND capacity >= 0",
            name=op.f("ck_day_session_hours"),
        ),
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("fk_day_session_department_code")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_day_session_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_session")),
        sa.UniqueConstraint("series_id", "day", name=op.f("uq_day_session_series_id_day")),
    )
    op.create_index("ix_day_session_practitioner", "day_session", ["practitioner_id", "day"], unique=False)
    op.create_table(
        "pharmacist_hours",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("begins", sa.Integer(), nullable=False),
        sa.Column("ends", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("(weekday IS NULL) <> (day IS NULL)", name=op.f("ck_pharmacist_hours_when")),
        sa.CheckConstraint(
            "begins >= 0 AND begins < 1440 AND begins < ends AND ends <= 2880",
            name=op.f("ck_pharmacist_hours_hours"),
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_pharmacist_hours_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pharmacist_hours")),
    )
    op.create_table(
        "schedule_source",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("department_code", sa.String(length=20), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=200), nullable=False),
        sa.CheckConstraint("source IN ('own', 'his')", name=op.f("ck_schedule_source_source")),
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("fk_schedule_source_department_code")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_schedule_source_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_source")),
        sa.UniqueConstraint(
            "department_code",
            "practitioner_id",
            name=op.f("uq_schedule_source_department_code_practitioner_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "stoppage",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("department_code", sa.String(length=20), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(practitioner_id IS NULL) <> (department_code IS NULL)", name=op.f("ck_stoppage_whose")
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_stoppage_order")),
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("fk_stoppage_department_code")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_stoppage_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stoppage")),
    )
    op.create_index("ix_stoppage_ends_at", "stoppage", ["ends_at"], unique=False)
    op.create_table(
        "weekly_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("department_code", sa.String(length=20), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("on_holidays", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("begins", sa.Integer(), nullable=False),
        sa.Column("ends", sa.Integer(), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("held_follow_up", sa.Integer(), nullable=False),
        sa.Column("held_staff", sa.Integer(), nullable=False),
        sa.Column("held_referral", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("price_code", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "begins >= 0 AND begins < ends AND ends <= 1440 AND segment > 0 AND capacity >= 0 AND weekday BETWEEN 1 AND 7",
            name=op.f("ck_weekly_session_hours"),
        ),
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("fk_weekly_session_department_code")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_weekly_session_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weekly_session")),
        sa.UniqueConstraint("series_id", "version", name=op.f("uq_weekly_session_series_id_version")),
    )
    op.create_index(
        "ix_weekly_session_practitioner", "weekly_session", ["practitioner_id", "weekday"], unique=False
    )
    op.create_table(
        "mirrored_slot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.String(length=80), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_mirrored_slot_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mirrored_slot")),
        sa.UniqueConstraint("external_id", name=op.f("uq_mirrored_slot_external_id")),
        sa.UniqueConstraint("slot_id", name=op.f("uq_mirrored_slot_slot_id")),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("mirrored_slot")
    op.drop_index("ix_weekly_session_practitioner", table_name="weekly_session")
    op.drop_table("weekly_session")
    op.drop_index("ix_stoppage_ends_at", table_name="stoppage")
    op.drop_table("stoppage")
    op.drop_table("schedule_source")
    op.drop_table("pharmacist_hours")
    op.drop_index("ix_day_session_practitioner", table_name="day_session")
    op.drop_table("day_session")
    op.drop_table("calendar_day")
