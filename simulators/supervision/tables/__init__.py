"""The field tables of the profiles, as data: `tianjin.txt`, `shanghai.txt`, `guangdong.txt`, `codes.toml`.

The same files make the tables in `docs/profiles/`: `python -m simulators.supervision.tables` writes them anew.
"""

from functools import cache
from pathlib import Path

from simulators.supervision.tables.codes import CODES
from simulators.supervision.tables.field import Answers, Condition, Field, Kind, Method, Profile
from simulators.supervision.tables.reading import read_profile

__all__ = [
    "CODES", "Answers", "Condition", "Field", "Kind", "Method", "Profile", "guangdong", "shanghai", "tianjin",
]  # fmt: skip

_FOLDER = Path(__file__).parent


@cache
def tianjin() -> Profile:
    text = (_FOLDER / "tianjin.txt").read_text(encoding="utf-8")
    return read_profile("tianjin-1.0", "his.provinceDataUploadService", text)


@cache
def shanghai() -> Profile:
    text = (_FOLDER / "shanghai.txt").read_text(encoding="utf-8")
    return read_profile(
        "shanghai", "sh.internetHospitalSupervision", text,
        answers=Answers.RECEIPTS, once_by="eventId", chained=True, refuse_unknown=True,
    )  # fmt: skip


@cache
def guangdong() -> Profile:
    text = (_FOLDER / "guangdong.txt").read_text(encoding="utf-8")
    return read_profile(
        "guangdong", "gd.provinceDataUploadService", text,
        answers=Answers.ROWS, once_by="sjbs", organ="jgdm", unit="fwwddm", signed_by_key=True, refuse_unknown=True,
    )  # fmt: skip
