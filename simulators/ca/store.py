"""What the CA keeps: holders' keys and certificates, PIN counters, sessions, signatures given, serials revoked."""

import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS holder (
    holder          TEXT PRIMARY KEY,
    key_pem         BLOB NOT NULL,
    certificate_pem TEXT NOT NULL,
    serial          TEXT NOT NULL,
    not_after       REAL NOT NULL,
    wrong_pins      INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS sm2 (
    holder      TEXT PRIMARY KEY REFERENCES holder,
    serial      TEXT NOT NULL,  -- of the certificate over P-256 that this one stands beside
    key         BLOB NOT NULL,
    certificate BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS revoked (serial TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS session (
    session    TEXT PRIMARY KEY,  -- hash of what the customer holds
    holder     TEXT NOT NULL REFERENCES holder,
    expires_at REAL NOT NULL,
    ended      INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS signature (
    request_id      TEXT PRIMARY KEY,
    holder          TEXT NOT NULL REFERENCES holder,
    digest          TEXT NOT NULL,
    signature       TEXT NOT NULL,
    certificate_pem TEXT NOT NULL,
    signed_at       TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class Issued:
    holder: str
    key_pem: bytes
    certificate_pem: str
    serial: str
    not_after: float
    wrong_pins: int = 0


@dataclass(frozen=True)
class Session:
    holder: str
    expires_at: float
    ended: bool


@dataclass(frozen=True)
class Signature:
    request_id: str
    holder: str
    digest: str
    signature: str
    certificate_pem: str
    signed_at: str


class Store:
    def __init__(self, folder: Path) -> None:
        file = folder / "holders.sqlite3"
        file.touch(mode=0o600)
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    def issued(self, holder: str) -> Issued | None:
        row = self._db.execute(
            "SELECT holder, key_pem, certificate_pem, serial, not_after, wrong_pins FROM holder WHERE holder = ?",
            (holder,),
        ).fetchone()
        return Issued(*row) if row else None

    def issue(self, issued: list[Issued]) -> None:
        """New certificates, replacing the holders' earlier ones; all or none."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO holder (holder, key_pem, certificate_pem, serial, not_after) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (holder) DO UPDATE SET key_pem = excluded.key_pem,"
            " certificate_pem = excluded.certificate_pem, serial = excluded.serial, not_after = excluded.not_after",
            [(one.holder, one.key_pem, one.certificate_pem, one.serial, one.not_after) for one in issued],
        )
        self._db.execute("COMMIT")

    def sm2(self, holder: str) -> tuple[str, bytes, bytes] | None:
        """Serial, key and certificate (DER)."""
        row = self._db.execute(
            "SELECT serial, key, certificate FROM sm2 WHERE holder = ?", (holder,)
        ).fetchone()
        return (row[0], row[1], row[2]) if row else None

    def keep_sm2(self, holder: str, serial: str, key: bytes, certificate: bytes) -> None:
        self._db.execute("REPLACE INTO sm2 VALUES (?, ?, ?, ?)", (holder, serial, key, certificate))

    def set_wrong_pins(self, holder: str, count: int) -> None:
        self._db.execute("UPDATE holder SET wrong_pins = ? WHERE holder = ?", (count, holder))

    def revoke(self, serial: str, at: float) -> None:
        self._db.execute("INSERT OR IGNORE INTO revoked (serial, at) VALUES (?, ?)", (serial, at))

    def is_revoked(self, serial: str) -> bool:
        return self._db.execute("SELECT 1 FROM revoked WHERE serial = ?", (serial,)).fetchone() is not None

    def revoked(self) -> list[tuple[str, float]]:
        """Serials (hex) and when each was revoked."""
        return self._db.execute("SELECT serial, at FROM revoked ORDER BY at").fetchall()

    def open_session(self, token: str, holder: str, expires_at: float) -> None:
        self._db.execute(
            "INSERT INTO session (session, holder, expires_at) VALUES (?, ?, ?)",
            (_hash(token), holder, expires_at),
        )

    def session(self, token: str) -> Session | None:
        row = self._db.execute(
            "SELECT holder, expires_at, ended FROM session WHERE session = ?", (_hash(token),)
        ).fetchone()
        return Session(row[0], row[1], bool(row[2])) if row else None

    def end_session(self, token: str) -> bool:
        """False when there never was such a session."""
        done = self._db.execute("UPDATE session SET ended = 1 WHERE session = ?", (_hash(token),))
        return done.rowcount > 0

    def signature(self, request_id: str) -> Signature | None:
        row = self._db.execute(
            "SELECT request_id, holder, digest, signature, certificate_pem, signed_at"
            " FROM signature WHERE request_id = ?",
            (request_id,),
        ).fetchone()
        return Signature(*row) if row else None

    def keep_signature(self, one: Signature) -> None:
        self._db.execute(
            "INSERT INTO signature (request_id, holder, digest, signature, certificate_pem, signed_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (one.request_id, one.holder, one.digest, one.signature, one.certificate_pem, one.signed_at),
        )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
