"""Entries in DICOM's JSON (PS3.18 annex F) on the three levels."""

from typing import Any

from simulators.pacs.archive import Instance, Series, Study
from simulators.pacs.pictures import size_of

Json = dict[str, Any]
EXTRA = {
    "StudyDescription": "00081030", "SeriesDescription": "0008103E", "ModalitiesInStudy": "00080061",
    "NumberOfStudyRelatedSeries": "00201206", "NumberOfStudyRelatedInstances": "00201208", "PatientID": "00100020",
    "NumberOfFrames": "00280008", "Rows": "00280010", "Columns": "00280011",
}  # fmt: skip
"""What `includefield` may name, by keyword."""
_ALWAYS = frozenset(
    "00080005 00080016 00080018 00080020 00080050 00080060 00080061 0020000D 0020000E 00200011 00200013 00100010 00100020 "
    "00201206 00201208 00201209".split()
)


def of_study(study: Study) -> Json:
    row = study.row
    return {
        "00080005": _one("CS", "ISO_IR 192"),
        "00080020": _one("DA", row.day.replace("-", "")),
        "00080050": _one("SH", row.accession),
        "00080061": _one("CS", row.modality),
        "00081030": _one("LO", row.description),
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": row.name}]},
        "00100020": _one("LO", row.patient),
        "0020000D": _one("UI", study.uid),
        "00201206": _one("IS", len(study.series)),
        "00201208": _one("IS", sum(len(one.instances) for one in study.series)),
    }


def of_series(study: Study, series: Series) -> Json:
    return {
        "00080060": _one("CS", study.row.modality),
        "0008103E": _one("LO", series.description),
        "0020000D": _one("UI", study.uid),
        "0020000E": _one("UI", series.uid),
        "00200011": _one("IS", series.number),
        "00201209": _one("IS", len(series.instances)),
    }


def of_instance(study: Study, series: Series, instance: Instance) -> Json:
    """On this level an archive need not say whose it is; this one does not. Its metadata do."""
    columns, rows = size_of(study.row.modality)
    return {
        "00080018": _one("UI", instance.uid),
        "0020000D": _one("UI", study.uid),
        "0020000E": _one("UI", series.uid),
        "00200013": _one("IS", instance.number),
        "00280008": _one("IS", instance.frames),
        "00280010": _one("US", rows),
        "00280011": _one("US", columns),
    }


def metadata(study: Study, series: Series, instance: Instance) -> Json:
    return of_study(study) | of_series(study, series) | of_instance(study, series, instance)


def cut(entry: Json, include: set[str]) -> Json:
    """What is always given, and what `includefield` names (by keyword, tag or `all`)."""
    if "all" in include:
        return entry
    wanted = _ALWAYS | include | {EXTRA[name] for name in include if name in EXTRA}
    return {tag: value for tag, value in entry.items() if tag in wanted}


def _one(vr: str, value: str | int) -> Json:
    return {"vr": vr, "Value": [value]}
