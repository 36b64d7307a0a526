"""Refunds by tender, and the database's own arithmetic: tenders add up to the bill, and none gives back more than it received."""

import sqlalchemy as sa
from alembic import op

revision = "7c1e5b0d94af"
down_revision = "a3d95c71e0b8"
branch_labels = None
depends_on = None

ADDS_UP = """
CREATE FUNCTION tenders_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bill uuid;
    wanted bigint;
    found bigint;
BEGIN
    IF TG_TABLE_NAME = 'payment' THEN
        bill := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN
        bill := OLD.payment_id;
    ELSE
        bill := NEW.payment_id;
    END IF;
    wanted := (SELECT amount FROM payment WHERE id = bill);
    found := (SELECT coalesce(sum(amount), 0) FROM tender WHERE payment_id = bill);
    IF wanted IS NOT NULL AND found <> wanted THEN
        RAISE EXCEPTION 'tenders of bill % add up to % instead of %', bill, found, wanted USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$
"""
"""Looked at when tenders change and when a bill is confirmed; not when it is opened, which has to be quick."""

NO_MORE = """
CREATE FUNCTION no_more_than_received() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held bigint := (
        SELECT coalesce(sum(CASE kind WHEN 'received' THEN amount ELSE -amount END), 0)
        FROM money_event WHERE payment_id = NEW.payment_id AND tender = NEW.tender
    );
BEGIN
    IF held < 0 THEN
        RAISE EXCEPTION 'bill % gave back % more by % than it received', NEW.payment_id, -held, NEW.tender
        USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$
"""
TRIGGERS = (
    (
        "CREATE CONSTRAINT TRIGGER tender_adds_up AFTER UPDATE OR DELETE ON tender DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION tenders_add_up()"
    ),
    (
        "CREATE CONSTRAINT TRIGGER confirmed_adds_up AFTER UPDATE OF state ON payment DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW WHEN (NEW.state = 'confirmed') EXECUTE FUNCTION tenders_add_up()"
    ),
    (
        "CREATE CONSTRAINT TRIGGER gives_back_what_it_has AFTER INSERT ON money_event DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW WHEN (NEW.kind = 'refunded') EXECUTE FUNCTION no_more_than_received()"
    ),
)


def upgrade() -> None:
    """Forward. Refunds of before went back by WeChat, all of them."""
    op.create_table(
        "refund_part",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("tender", sa.String(length=20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("provider_reference", sa.String(length=60), nullable=False),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refund_part_amount")),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f("fk_refund_part_refund_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_part")),
        sa.UniqueConstraint("refund_id", "tender", name=op.f("uq_refund_part_refund_id_tender")),
    )
    op.execute(
        "INSERT INTO refund_part (id, hospital_id, refund_id, tender, amount, provider_reference, proven_at) "
        "SELECT gen_random_uuid(), hospital_id, id, 'wechat_cash', amount, provider_refund_id, succeeded_at FROM refund"
    )
    op.create_unique_constraint(
        op.f("uq_money_event_kind_tender_provider_reference"),
        "money_event",
        ["kind", "tender", "provider_reference"],
    )
    op.drop_constraint(op.f("uq_money_event_kind_provider_reference"), "money_event", type_="unique")
    for statement in (ADDS_UP, NO_MORE, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    """Back."""
    op.execute("DROP FUNCTION no_more_than_received() CASCADE")
    op.execute("DROP FUNCTION tenders_add_up() CASCADE")
    op.create_unique_constraint(
        op.f("uq_money_event_kind_provider_reference"), "money_event", ["kind", "provider_reference"]
    )
    op.drop_constraint(op.f("uq_money_event_kind_tender_provider_reference"), "money_event", type_="unique")
    op.drop_table("refund_part")
