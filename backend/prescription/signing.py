"""What exactly is signed: the doctor signs the prescription, the pharmacist signs its digest, that signature and a verdict."""

from datetime import datetime
from uuid import UUID

import msgspec

from backend.review.draft import Item, Stated
from contracts.events import Diagnosis, PrescriptionItem
from foundation.canonical import canonical, sha256


class Renewed(msgspec.Struct, frozen=True):
    """A line (from 0) that continues an earlier prescription; `digest` is of what was signed then, hex."""

    line: int
    prescription_id: UUID
    number: str
    digest: str


class PrescriptionContent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A prescription with everything a reader needs: header, body, footer (处方管理办法 附件 1)."""

    prescription_id: UUID
    number: str
    hospital: str
    patient_name: str
    patient_sex: str
    patient_age: int
    department: str
    prescriber: str
    prescriber_licence: str
    diagnoses: list[Diagnosis]
    items: list[PrescriptionItem]
    written: list[Item]
    reason: str
    allergies: str
    disease_history: str
    valid_days: int
    total: int
    # What came later is left out of the signed bytes when there is nothing to say: what was signed before it was there still
    # holds. A field is only ever added like this, with a default; none is renamed, removed or given another meaning.
    kind: str = ""
    stated: Stated | None = None
    stated_at: datetime | None = None
    renews: list[Renewed] = []


class ReviewVerdict(msgspec.Struct, frozen=True):
    """What the pharmacist signs."""

    prescription_id: UUID
    prescription_digest: str
    doctor_signature: str
    verdict: str
    pharmacist: str


def digest_of(content: PrescriptionContent | ReviewVerdict) -> bytes:
    """SHA-256 of the canonical bytes."""
    return sha256(canonical(content))
