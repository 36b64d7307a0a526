"""The mock's small SQLite file. Times are seconds since 1970, money is fen."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = sqlite3.Row
SCHEMA = """
CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY, kinds TEXT NOT NULL, openid TEXT NOT NULL, expires_at REAL NOT NULL, used_at REAL);
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, kind TEXT NOT NULL, made_at REAL NOT NULL, expires_at REAL NOT NULL,
    forced INTEGER NOT NULL DEFAULT 0, revoked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS consents (
    openid TEXT NOT NULL, template_id TEXT NOT NULL, remaining INTEGER NOT NULL,
    PRIMARY KEY (openid, template_id));
CREATE TABLE IF NOT EXISTS followers (openid TEXT PRIMARY KEY, follows INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, openid TEXT NOT NULL, kind TEXT NOT NULL, template_id TEXT NOT NULL,
    data TEXT NOT NULL, page TEXT NOT NULL, url TEXT NOT NULL, sent_at REAL NOT NULL, read_at REAL);
CREATE INDEX IF NOT EXISTS messages_of ON messages (openid, id);
CREATE TABLE IF NOT EXISTS links (
    token TEXT PRIMARY KEY, path TEXT NOT NULL, query TEXT NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    out_trade_no TEXT PRIMARY KEY, request TEXT NOT NULL, description TEXT NOT NULL, attach TEXT,
    notify_url TEXT NOT NULL, openid TEXT NOT NULL, total INTEGER NOT NULL, time_expire REAL,
    made_at REAL NOT NULL, transaction_id TEXT UNIQUE, paid_at REAL, closed_at REAL);
CREATE INDEX IF NOT EXISTS orders_paid ON orders (paid_at);
CREATE INDEX IF NOT EXISTS orders_of ON orders (openid, paid_at);
CREATE TABLE IF NOT EXISTS prepays (
    prepay_id TEXT PRIMARY KEY, out_trade_no TEXT NOT NULL, made_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS refunds (
    refund_id TEXT PRIMARY KEY, out_refund_no TEXT NOT NULL UNIQUE, out_trade_no TEXT NOT NULL,
    request TEXT NOT NULL, amount INTEGER NOT NULL, notify_url TEXT, status TEXT NOT NULL,
    channel TEXT NOT NULL, received_account TEXT NOT NULL, made_at REAL NOT NULL,
    settle_at REAL, settled_at REAL);
CREATE INDEX IF NOT EXISTS refunds_of ON refunds (out_trade_no);
CREATE INDEX IF NOT EXISTS refunds_due ON refunds (settle_at);
CREATE TABLE IF NOT EXISTS notifications (
    id TEXT PRIMARY KEY, event_type TEXT NOT NULL, original_type TEXT NOT NULL, summary TEXT NOT NULL,
    resource TEXT NOT NULL, subject TEXT NOT NULL, url TEXT NOT NULL, made_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, next_at REAL, accepted_at REAL, held INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS notifications_due ON notifications (next_at);
CREATE TABLE IF NOT EXISTS attempts (
    notification_id TEXT NOT NULL, n INTEGER NOT NULL, at REAL NOT NULL, result TEXT NOT NULL,
    note TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS attempts_of ON attempts (notification_id);
CREATE TABLE IF NOT EXISTS med_ins_auths (
    code TEXT PRIMARY KEY, openid TEXT NOT NULL, made_at REAL NOT NULL, used_at REAL, pay_auth_no TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS med_ins_orders (
    mix_trade_no TEXT PRIMARY KEY, out_trade_no TEXT NOT NULL UNIQUE, request TEXT NOT NULL, openid TEXT NOT NULL,
    prepay_id TEXT, pay_order_id TEXT, pay_auth_no TEXT, callback_url TEXT NOT NULL, made_at REAL NOT NULL,
    paid_at REAL, failed_at REAL, fail_reason TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS med_ins_refunds (
    out_refund_no TEXT PRIMARY KEY, mix_trade_no TEXT NOT NULL, total INTEGER NOT NULL, gov INTEGER NOT NULL,
    own INTEGER NOT NULL, other INTEGER NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS bureau_claims (
    pay_order_id TEXT PRIMARY KEY, serial_no TEXT NOT NULL UNIQUE, request TEXT NOT NULL, openid TEXT NOT NULL,
    pay_auth_no TEXT NOT NULL, total INTEGER NOT NULL, gov INTEGER NOT NULL, own INTEGER NOT NULL,
    other INTEGER NOT NULL, cash INTEGER NOT NULL, state TEXT NOT NULL, settlement_id TEXT, made_at REAL NOT NULL,
    settled_at REAL);
CREATE INDEX IF NOT EXISTS bureau_claims_of ON bureau_claims (openid, state);
CREATE TABLE IF NOT EXISTS bureau_refunds (
    refund_no TEXT PRIMARY KEY, pay_order_id TEXT NOT NULL, gov INTEGER NOT NULL, own INTEGER NOT NULL,
    other INTEGER NOT NULL, state TEXT NOT NULL, refund_id TEXT NOT NULL, made_at REAL NOT NULL,
    settle_at REAL NOT NULL, settled_at REAL);
CREATE INDEX IF NOT EXISTS bureau_refunds_of ON bureau_refunds (pay_order_id);
CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, seen_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS nonces_old ON nonces (seen_at);
CREATE TABLE IF NOT EXISTS bills (
    token TEXT PRIMARY KEY, content BLOB NOT NULL, expires_at REAL NOT NULL);
"""


class Store:
    """One connection, used by one event loop; a block of work never awaits, so no two interleave."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(SCHEMA)

    def one(self, sql: str, *values: Any) -> Row | None:
        row: Row | None = self._db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: Any) -> list[Row]:
        return self._db.execute(sql, values).fetchall()

    def number(self, sql: str, *values: Any) -> int:
        """The first column of the first row, 0 when there is none."""
        row = self.one(sql, *values)
        return int(row[0] or 0) if row else 0

    def run(self, sql: str, *values: Any) -> int:
        """Rows changed."""
        return self._db.execute(sql, values).rowcount

    def insert(self, table: str, **values: Any) -> None:
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def forget(self) -> None:
        """Empty every table."""
        with self.transaction():
            for row in self.all(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ):
                self.run(f"DELETE FROM {row['name']}")

    def close(self) -> None:
        self._db.close()
