"""Accounts, staff logins and session tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, stored


class Account(Row, Base):
    """A patient's WeChat login; the phone is bound by WeChat's own code."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("appid", "openid"),)

    appid: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    openid: Mapped[str] = stored(DataClass.OPERATIONAL, String(64))
    phone: Mapped[str | None] = stored(DataClass.PERSONAL, EncryptedText("account.phone"), nullable=True)
    phone_index: Mapped[bytes | None] = stored(DataClass.PERSONAL, LargeBinary, nullable=True, index=True)
    made_at: Mapped[datetime] = moment()


class Staff(Row, Base):
    """A member of staff: password, TOTP, role. `openid` receives messages on the phone."""

    __tablename__ = "staff"

    login: Mapped[str] = stored(DataClass.OPERATIONAL, String(40), unique=True)
    role: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    display_name: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    password_hash: Mapped[str] = stored(DataClass.SECRET, String(200))
    totp_secret: Mapped[str] = stored(DataClass.SECRET, EncryptedText("staff.totp_secret"))
    totp_last_step: Mapped[int] = stored(DataClass.OPERATIONAL, BigInteger, default=0)
    openid: Mapped[str] = stored(DataClass.OPERATIONAL, String(64), default="")
    phone: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("staff.phone"))
    ca_holder: Mapped[str] = stored(DataClass.OPERATIONAL, String(60), default="")
    failures: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    locked_until: Mapped[datetime | None] = moment(nullable=True)
    active: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=True)


class SessionToken(Row, Base):
    """An opaque token, stored as its SHA-256; `holder_id` is an account or a member of staff."""

    __tablename__ = "session_token"

    token_hash: Mapped[bytes] = stored(DataClass.SECRET, LargeBinary, unique=True)
    holder_kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(12))
    holder_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, index=True)
    role: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    display_name: Mapped[str] = stored(DataClass.OPERATIONAL, String(60), default="")
    made_at: Mapped[datetime] = moment()
    seen_at: Mapped[datetime] = moment()
    expires_at: Mapped[datetime] = moment()
    revoked_at: Mapped[datetime | None] = moment(nullable=True)
