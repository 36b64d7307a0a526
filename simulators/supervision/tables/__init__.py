"""The field tables of both profiles, as data: `tianjin.txt`, `shanghai.txt`, `codes.toml`.

The same files make the tables in `docs/profiles/`: `python -m simulators.supervision.tables` writes them anew.
"""

from functools import cache
from pathlib import Path

from simulators.supervision.tables.codes import CODES
from simulators.supervision.tables.field import Condition, Field, Kind, Method, Profile
from simulators.supervision.tables.reading import read_profile

__all__ = ["CODES", "Condition", "Field", "Kind", "Method", "Profile", "shanghai", "tianjin"]

_FOLDER = Path(__file__).parent


@cache
def tianjin() -> Profile:
    text = (_FOLDER / "tianjin.txt").read_text(encoding="utf-8")
    return read_profile("tianjin-1.0", "his.provinceDataUploadService", text)


@cache
def shanghai() -> Profile:
    text = (_FOLDER / "shanghai.txt").read_text(encoding="utf-8")
    return read_profile("shanghai", "sh.internetHospitalSupervision", text)
