"""Persons, what accounts may do for them, and what they agreed to."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, LargeBinary, String, Uuid, cast, func, literal_column
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, stored


class Person(Row, Base):
    """A verified person; the id number is unique through its keyed index.

    The hospital may have her under several numbers: the present one, and those merged into it as of `hospital_asked_on`
    (`hospital_merged_digests`: SHA-256 of "Patient/<number>" of each, by which the gateway's hints name them).
    """

    __tablename__ = "person"

    name: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("person.name"))
    id_number: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("person.id_number"))
    id_number_index: Mapped[bytes] = stored(DataClass.PERSONAL, LargeBinary, unique=True)
    birth_date: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("person.birth_date"))
    sex: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("person.sex"))
    phone: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("person.phone"))
    hospital_patient_id: Mapped[str | None] = stored(DataClass.EVIDENCE, String(80), nullable=True)
    hospital_merged_ids: Mapped[list[str]] = stored(
        DataClass.EVIDENCE, ARRAY(String(80)), default=list, server_default="{}"
    )
    hospital_merged_digests: Mapped[list[str]] = stored(
        DataClass.EVIDENCE, ARRAY(String(64)), default=list, server_default="{}"
    )
    hospital_asked_on: Mapped[date | None] = stored(DataClass.OPERATIONAL, Date, nullable=True)
    verified_at: Mapped[datetime] = moment()

    @property
    def stream(self) -> str:
        """Stream of the person's events."""
        return f"person:{self.id}"


HOSPITAL_ID_DIGEST = func.encode(
    func.sha256(cast(literal_column("'Patient/'") + Person.hospital_patient_id, BYTEA)),
    literal_column("'hex'"),
)
"""What the gateway calls a person; literals, so that the index fits the query."""
Index("ix_person_hospital_digest", HOSPITAL_ID_DIGEST)
Index("ix_person_merged_digests", Person.hospital_merged_digests, postgresql_using="gin")


class IdentityCheck(Row, Base):
    """One question to the real-name service: written before it is asked, answered or not. `account_id`: who asked, account or staff."""

    __tablename__ = "identity_check"

    account_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    id_number_index: Mapped[bytes] = stored(DataClass.PERSONAL, LargeBinary, index=True)
    asked_at: Mapped[datetime] = moment()
    answered_at: Mapped[datetime | None] = moment(nullable=True)
    result: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="")
    serial: Mapped[str] = stored(DataClass.OPERATIONAL, String(80), default="")


class PersonGrant(Row, Base):
    """What an account may do for a person. `kind`: self, guardian, proxy; `scope` limits a proxy (`rules.SCOPES`)."""

    __tablename__ = "person_grant"
    __table_args__ = (
        Index(
            "uq_person_grant_open",
            "account_id",
            "person_id",
            unique=True,
            postgresql_where="revoked_at IS NULL",
        ),
    )

    account_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("account.id"))
    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"), index=True)
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(12))
    relation: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="")
    scope: Mapped[list[str]] = stored(DataClass.OPERATIONAL, ARRAY(String(20)), default=list)
    granted_at: Mapped[datetime] = moment()
    revoked_at: Mapped[datetime | None] = moment(nullable=True)


class GrantCode(Row, Base):
    """A short-lived code by which an adult lets another account act for her."""

    __tablename__ = "grant_code"

    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"))
    code_hash: Mapped[bytes] = stored(DataClass.SECRET, LargeBinary, unique=True)
    scope: Mapped[list[str]] = stored(DataClass.OPERATIONAL, ARRAY(String(20)), default=list)
    expires_at: Mapped[datetime] = moment()
    used_at: Mapped[datetime | None] = moment(nullable=True)


class Consent(Row, Base):
    """Agreement to one version of one document: who, for whom, when, and the hash of what was read.

    On paper no account agreed: the person signed before a member of staff, the witness, who keeps the sheet.
    """

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_person_kind", "person_id", "document_kind"),)

    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"))
    account_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("account.id"), nullable=True
    )
    witness_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    document_kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    document_version: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    document_hash: Mapped[str] = stored(DataClass.OPERATIONAL, String(64))
    given_at: Mapped[datetime] = moment()
    withdrawn_at: Mapped[datetime | None] = moment(nullable=True)
