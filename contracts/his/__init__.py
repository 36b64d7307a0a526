"""What the gateway offers inward: `POST /his/v1/{operation}` over mTLS, one request and one response struct each.

The dialect of the hospital at hand (FHIR R4, …) ends inside the gateway. Every answer's subject is checked there: an
entry about another patient is an error (`wrong_subject`), never passed on. Each call names its `purpose`.
Problems: 400, 403 `not_listed`, 404 `patient_not_found`, 422 `invalid` (the request; `issues` names the fields), 422
`hospital_refused` (the hospital will not have a write: a case for a desk, not for a retry) or `place_taken` (somebody there has the
slot; nothing was written) or `fee_taken` (the window has charged it or holds it; nothing was locked), 429 and 503 `busy` (`retry-after`),
502 `hospital_answer_unusable` (not understood) or `wrong_subject`, 503 `hospital_unreachable`, 504 `hospital_timeout`.
A write carries `request_id`: the same one again has no second effect, so 5xx may be tried again with it.
"""

from contracts.his.base import Acknowledged, Hash, Purpose
from contracts.his.base import Request as HisRequest
from contracts.his.images import (
    ImageFrame,
    ImageFrameReply,
    ImageStudies,
    ImageStudiesReply,
    ImageStudy,
    ImageWindow,
    Place,
)
from contracts.his.reading import (
    Allergy,
    Charges,
    ChargesReply,
    FindPatient,
    FindPatientReply,
    History,
    HistoryMedication,
    HistoryReply,
    HospitalCharge,
    HospitalSlot,
    HospitalVisit,
    Patient,
    Report,
    ReportValue,
    Slots,
    SlotsReply,
    VisitDiagnosis,
    Visits,
    VisitsReply,
)
from contracts.his.supply import (
    Codes,
    DrugStock,
    FeeLock,
    ItemCode,
    ItemPrice,
    LockFee,
    Prices,
    PricesReply,
    Stock,
    StockReply,
    UnlockFee,
)
from contracts.his.writing import (
    OrderItem,
    WriteCancellation,
    WriteCharge,
    WriteDispense,
    WriteDrug,
    WriteMove,
    WriteOrder,
    WriteOrderCancellation,
    WritePrescription,
    WriteRecord,
    WriteRefund,
    WriteRegistration,
)

REQUESTS: tuple[type[HisRequest], ...] = (
    FindPatient, Visits, History, Slots, WriteRegistration, WriteCharge, WriteRecord, WritePrescription, WriteDispense,
    WriteRefund, Charges, WriteMove, WriteCancellation, ImageStudies, ImageFrame, Stock, Prices, LockFee, UnlockFee,
    WriteOrder, WriteOrderCancellation,
)  # fmt: skip

BY_OPERATION: dict[str, type[HisRequest]] = {kind.OPERATION: kind for kind in REQUESTS}

__all__ = [
    "BY_OPERATION",
    "REQUESTS",
    "Acknowledged",
    "Allergy",
    "Charges",
    "ChargesReply",
    "Codes",
    "DrugStock",
    "FeeLock",
    "FindPatient",
    "FindPatientReply",
    "Hash",
    "HisRequest",
    "History",
    "HistoryMedication",
    "HistoryReply",
    "HospitalCharge",
    "HospitalSlot",
    "HospitalVisit",
    "ImageFrame",
    "ImageFrameReply",
    "ImageStudies",
    "ImageStudiesReply",
    "ImageStudy",
    "ImageWindow",
    "ItemCode",
    "ItemPrice",
    "LockFee",
    "OrderItem",
    "Patient",
    "Place",
    "Prices",
    "PricesReply",
    "Purpose",
    "Report",
    "ReportValue",
    "Slots",
    "SlotsReply",
    "Stock",
    "StockReply",
    "UnlockFee",
    "VisitDiagnosis",
    "Visits",
    "VisitsReply",
    "WriteCancellation",
    "WriteCharge",
    "WriteDispense",
    "WriteDrug",
    "WriteMove",
    "WriteOrder",
    "WriteOrderCancellation",
    "WritePrescription",
    "WriteRecord",
    "WriteRefund",
    "WriteRegistration",
]
