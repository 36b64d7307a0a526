"""The entries of the world's files, field by field. Empty fields are left out of `residents.json`.

`sex` is GB/T 2261.1: "1" male, "2" female. Days are ISO dates in Shanghai.
"""

import datetime

import msgspec


class Hospital(msgspec.Struct):
    id: str
    code: str
    name: str
    short_name: str
    address: str
    phone: str
    city_code: str
    unified_social_credit_code: str
    demo: bool = True


class Department(msgspec.Struct):
    """`code` is the hospital's own, `subject_code` that of the list of medical subjects (诊疗科目)."""

    code: str
    subject_code: str
    subject_name: str
    name: str
    demo: bool = True


class Staff(msgspec.Struct):
    """`role`: doctor, pharmacist, clerk, schedule_manager, duty_desk, quality, admin. Titles by 231-245, else empty."""

    id: str
    role: str
    name: str
    id_number: str
    sex: str
    birth_date: datetime.date
    phone: str
    title_code: str
    title_name: str
    licence_number: str
    departments: list[str]
    years_of_experience: int
    filed_until: datetime.date | None
    openid: str
    unionid: str
    login: str
    password: str
    totp_secret: str
    ca_holder: str
    pin: str
    demo: bool = True


class Allergy(msgspec.Struct, omit_defaults=True):
    """`group` is spelled as in the formulary's column `allergy_group`."""

    code: str
    name: str
    group: str
    note: str = ""


class Diagnosis(msgspec.Struct):
    """`code` is empty when the doctor wrote text only; `certainty`: confirmed or suspected; `rank` 1 is the main one."""

    code: str
    name: str
    certainty: str
    rank: int


class PrescriptionItem(msgspec.Struct):
    """One dose is `dose` `dose_unit`; `quantity` counts packs of `unit`."""

    drug: str
    name: str
    dose: float
    dose_unit: str
    frequency: str
    route: str
    days: int
    quantity: int
    unit: str


class Prescription(msgspec.Struct, omit_defaults=True):
    id: str
    date: datetime.date
    doctor: str
    items: list[PrescriptionItem]
    note: str = ""


class ReportItem(msgspec.Struct, omit_defaults=True):
    """`flag`: H, L, A (abnormal, without a range) or empty."""

    code: str
    name: str
    value: str
    unit: str = ""
    low: str = ""
    high: str = ""
    flag: str = ""
    loinc: str = ""


class Report(msgspec.Struct, omit_defaults=True):
    """`category`: lab or imaging."""

    id: str
    date: datetime.date
    panel: str
    name: str
    category: str
    conclusion: str
    items: list[ReportItem] = []


class Record(msgspec.Struct):
    """Free text of a visit."""

    chief_complaint: str
    present_history: str
    advice: str


class Visit(msgspec.Struct, omit_defaults=True, kw_only=True):
    """`kind`: outpatient or inpatient (then `discharged_on`); `status`: finished or cancelled.

    `held_under` is a former number of the patient, when the hospital filed the visit under it.
    """

    id: str
    date: datetime.date
    kind: str = "outpatient"
    status: str = "finished"
    discharged_on: datetime.date | None = None
    department: str
    doctor: str
    diagnoses: list[Diagnosis]
    record: Record
    prescriptions: list[Prescription] = []
    reports: list[Report] = []
    held_under: str = ""


class Contact(msgspec.Struct):
    """`relation` by GB/T 4761: 父 母 子 女 配偶 …, seen from the patient."""

    name: str
    phone: str
    relation: str


class Resident(msgspec.Struct, omit_defaults=True, kw_only=True):
    """`former_ids`: numbers that the hospital has merged into this one."""

    id: str
    name: str
    sex: str
    birth_date: datetime.date
    id_number: str
    phone: str
    address: str
    allergies: list[Allergy] = []
    conditions: list[str] = []
    visits: list[Visit] = []
    contact: Contact | None = None
    former_ids: list[str] = []


class ImagingSeries(msgspec.Struct):
    """`instances` pictures of `frames` frames each."""

    description: str
    instances: int = 1
    frames: int = 1


class ImagingStudy(msgspec.Struct):
    """`patient` is the number that the study was filed under, perhaps a former one; `modality` as DICOM spells it."""

    accession: str
    patient: str
    name: str
    day: datetime.date
    modality: str
    description: str
    series: list[ImagingSeries]


class DemoPerson(msgspec.Struct, omit_defaults=True, kw_only=True):
    """`id` is the resident's or the staff member's. `diagnosis_code` is what stands in the record, `asks_for` what to ask for."""

    id: str
    name: str
    note: str
    sex: str = ""
    birth_date: datetime.date | None = None
    phone: str = ""
    openid: str = ""
    id_number: str = ""
    login: str = ""
    password: str = ""
    totp_secret: str = ""
    ca_holder: str = ""
    pin: str = ""
    department: str = ""
    doctor: str = ""
    visit_date: datetime.date | None = None
    diagnosis_code: str = ""
    diagnosis_name: str = ""
    asks_for: str = ""
    guardian: "DemoPerson | None" = None


class Insured(msgspec.Struct, omit_defaults=True):
    """A medical insurance credential bound to a phone; `account_fen` is on the personal account, which only employees have."""

    openid: str
    name: str
    id_number: str
    kind: str
    account_fen: int = 0
    subsidised: bool = False
