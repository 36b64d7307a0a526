"""Reads, and what the centre is told."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.e_prescription import rules
from backend.e_prescription.model import EPrescriptionRow
from backend.e_prescription.states import OVER
from backend.formulary import queries as formulary
from backend.formulary.facts import Drug
from backend.outside.e_prescription import RxContent, RxItem
from backend.patient import queries as patients
from backend.practitioner import queries as practitioners
from backend.prescription.model import PrescriptionRow
from backend.prescription.states import PrescriptionState
from backend.settings import Settings
from contracts.events import PrescriptionItem
from foundation.clock import local

HOLDS = (PrescriptionState.APPROVED, PrescriptionState.COMPLETED)


async def of_prescription(session: AsyncSession, prescription_id: UUID) -> EPrescriptionRow | None:
    """Of a prescription."""
    query = select(EPrescriptionRow).where(EPrescriptionRow.prescription_id == prescription_id)
    return await session.scalar(query)


@dataclass(frozen=True)
class Listed:
    """A row with its prescription."""

    row: EPrescriptionRow
    prescription: PrescriptionRow


async def listed(session: AsyncSession, *, problems: bool, limit: int = 100) -> list[Listed]:
    """What waits for a person, the longest wait first; or all, the newest first."""
    query = select(EPrescriptionRow, PrescriptionRow).join(
        PrescriptionRow, PrescriptionRow.id == EPrescriptionRow.prescription_id
    )
    if problems:
        query = query.where(EPrescriptionRow.problem != "", EPrescriptionRow.state.not_in(OVER))
        query = query.order_by(EPrescriptionRow.wanted_at)
    else:
        query = query.order_by(EPrescriptionRow.wanted_at.desc())
    return [Listed(row, one) for row, one in (await session.execute(query.limit(limit))).all()]


async def content(session: AsyncSession, settings: Settings, row: PrescriptionRow) -> RxContent:
    """The prescription in the centre's words."""
    written, person = row.content, await patients.person(session, row.person_id)
    doctor = await practitioners.practitioner(session, row.prescriber_id)
    assert row.pharmacist_id is not None
    assert row.valid_until is not None
    pharmacist = await practitioners.practitioner(session, row.pharmacist_id)
    drugs = await formulary.by_codes(session, [item.drug_code for item in written.items])
    longest = max(item.days for item in written.items)
    return RxContent(
        hospRxno=row.number, fixmedinsCode=settings.epc_fixmedins_code, fixmedinsName=settings.epc_fixmedins_name,
        prscTime=f"{local(row.signed_at or row.written_at):%Y-%m-%d %H:%M:%S}", rxDrugCnt=str(len(written.items)),
        valiDays=str(written.valid_days), valiEndTime=f"{local(row.valid_until):%Y-%m-%d %H:%M:%S}", reptFlag="0",
        maxReptCnt="0", minInrvDays="0", rxTypeCode="1", longRxFlag="1" if longest > LONG else "0", bizTypeCode="01",
        psnName=person.name, psnCertType="01", certno=person.id_number, drName=doctor.name, drCode=doctor.code,
        pharName=pharmacist.name, pharCode=pharmacist.code,
        diseCodg="|".join(one.code for one in written.diagnoses),
        diseName="|".join(one.name for one in written.diagnoses),
        rxDetlList=[_line(item, drugs.get(item.drug_code)) for item in written.items],
    )  # fmt: skip


LONG = 28
"""Days above which a prescription is a long-term one (长期处方管理规范)."""


def _line(item: PrescriptionItem, drug: Drug | None) -> RxItem:
    insured = drug is not None and bool(drug.insurance_code) and drug.insurance_class in ("甲", "乙")
    return RxItem(
        medListCodg=drug.insurance_code if drug else "", fixmedinsHilistId=item.drug_code,
        rxItemTypeCode=rules.item_type(drug.tj_class if drug else ""), otcFlag="0", drugGenname=item.name,
        drugDosform=drug.form_name if drug else "", drugSpec=item.strength, medcWayCodg=item.route_code,
        sinDoscnt=item.dose, sinDosunt=item.dose_unit, usedFrquCodg=item.frequency_code, medcDays=str(item.days),
        drugCnt=str(item.quantity), drugDosunt=item.pack_unit, drugPric=rules.yuan(item.unit_price),
        drugSumamt=rules.yuan(item.amount), hospApprFlag="1" if insured else "2",
        selfPayRea="" if insured else "非医保药品",
    )  # fmt: skip
