"""What lies in the image archive for the demo patients: a study for each imaging report, and some to page through."""

from collections.abc import Iterator, Sequence
from datetime import date

from standalone.people.canaries import Canaries
from standalone.people.shapes import DemoPerson, ImagingSeries, ImagingStudy, Report, Resident, Visit

_MODALITY = {"chest_xray": "DX", "mri_spine": "MR", "ultrasound_pelvis": "US", "bone_density": "DX"}
_PARTS = {
    "MR": (ImagingSeries("矢状位 T2", 15), ImagingSeries("横断位 T2", 12)),
    "US": (ImagingSeries("动态", 1, 16),),
}
_ONE_PICTURE = (ImagingSeries("正位", 1),)
_CROWD = 300
_CHEST_CT = (ImagingSeries("肺窗", 24), ImagingSeries("纵隔窗", 12))


def imaging(residents: Sequence[Resident], canaries: Canaries) -> list[ImagingStudy]:
    """Studies of `residents`, a canary in the first series of each; a curve (ECG) is no picture."""
    return [
        _marked(study, resident, canaries)
        for resident in residents
        for study in _studies(resident, residents[0])
    ]


def of_crowd(picked: Sequence[DemoPerson]) -> Iterator[ImagingStudy]:
    """A small CT each for the ordinary demo patients and the first of those whom load tests play."""
    for one in picked[:_CROWD]:
        if one.visit_date is not None:
            yield ImagingStudy(
                accession=f"X{one.id}",
                patient=one.id,
                name=one.name,
                day=one.visit_date,
                modality="CT",
                description="胸部CT平扫",
                series=[ImagingSeries("肺窗", 3), ImagingSeries("动态", 1, 2)],
            )


def _studies(resident: Resident, main: Resident) -> Iterator[ImagingStudy]:
    for visit in resident.visits:
        for report in visit.reports:
            if report.category == "imaging" and report.panel != "ecg":
                modality = _MODALITY.get(report.panel, "DX")
                yield _study(resident, visit, report, modality)
    if resident is main:
        last, before = resident.visits[-1], resident.visits[-2]
        yield _extra(resident, f"X{last.id}", last.date, "CT", "胸部CT平扫", _CHEST_CT)
        yield _extra(resident, f"X{before.id}", before.date, "US", "甲状腺超声", _PARTS["US"])
    elif resident.former_ids:
        visit = resident.visits[-1]
        yield _extra(
            resident, f"X{visit.id}", visit.date, "DX", "胸部正位片", _ONE_PICTURE, resident.former_ids[0]
        )


def _study(resident: Resident, visit: Visit, report: Report, modality: str) -> ImagingStudy:
    return ImagingStudy(
        accession=report.id,
        patient=visit.held_under or resident.id,
        name=resident.name,
        day=report.date,
        modality=modality,
        description=report.name,
        series=list(_PARTS.get(modality, _ONE_PICTURE)),
    )


def _extra(
    resident: Resident, accession: str, day: date, modality: str, description: str,
    series: Sequence[ImagingSeries], number: str = "",
) -> ImagingStudy:  # fmt: skip
    return ImagingStudy(
        accession=accession,
        patient=number or resident.id,
        name=resident.name,
        day=day,
        modality=modality,
        description=description,
        series=list(series),
    )


def _marked(study: ImagingStudy, resident: Resident, canaries: Canaries) -> ImagingStudy:
    first, *others = study.series
    text = canaries.mark(first.description, resident.id, f"{study.accession}.series")
    study.series = [ImagingSeries(text, first.instances, first.frames), *others]
    return study
