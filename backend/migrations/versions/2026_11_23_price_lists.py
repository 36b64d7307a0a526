"""Price lists with a state, a day and an approver; the lines of an approved one are final."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "8e42b19d0c57"
down_revision = "5a41c0e7d9b3"
branch_labels = None
depends_on = None

FINAL = """
CREATE FUNCTION price_item_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.version, OLD.code, OLD.name, OLD.amount, OLD.basis)
            IS NOT DISTINCT FROM (NEW.version, NEW.code, NEW.name, NEW.amount, NEW.basis) THEN
        RETURN NEW;
    END IF;
    IF EXISTS (SELECT FROM price_list WHERE version IN (OLD.version, NEW.version) AND state <> 'draft') THEN
        RAISE EXCEPTION 'the lines of price list % are final', COALESCE(OLD.version, NEW.version) USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END
$$
"""


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "price_list",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("editors", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list")),
        sa.UniqueConstraint("version", name=op.f("uq_price_list_version")),
    )
    op.create_index(
        "uq_price_list_day",
        "price_list",
        ["effective_on"],
        unique=True,
        postgresql_where="state = 'approved'",
    )
    op.execute(
        """
        INSERT INTO price_list (id, hospital_id, version, state, note, editors, prepared_at, effective_on,
                                effective_from, approved_at, content_hash)
        SELECT gen_random_uuid(), hospital_id, version, 'approved', '', '{}', min(in_force_from),
               (min(in_force_from) AT TIME ZONE 'Asia/Shanghai')::date, min(in_force_from), min(in_force_from), ''
        FROM price_item GROUP BY hospital_id, version
        """
    )
    op.alter_column("price_item", "in_force_from", nullable=True)
    op.execute(FINAL)
    op.execute(
        "CREATE TRIGGER price_item_is_final BEFORE INSERT OR UPDATE OR DELETE ON price_item "
        "FOR EACH ROW EXECUTE FUNCTION price_item_is_final()"
    )


def downgrade() -> None:
    """Back; drafts and what was withdrawn are lost."""
    op.execute("DROP TRIGGER price_item_is_final ON price_item")
    op.execute("DROP FUNCTION price_item_is_final()")
    op.execute("DELETE FROM price_item WHERE in_force_from IS NULL")
    op.alter_column("price_item", "in_force_from", nullable=False)
    op.drop_index("uq_price_list_day", table_name="price_list")
    op.drop_table("price_list")
