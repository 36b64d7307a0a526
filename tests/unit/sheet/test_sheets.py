import pathlib, shutil
import pytest

from tests.unit.sheet.conftest import Signed

pytestmark = pytest.mark.anyio

def dump(s, name):
    o = pathlib.Path("/tmp/sigfont/out"); o.mkdir(exist_ok=True)
    (o / f"{name}.pdf").write_bytes(s.pdf); (o / f"{name}.json").write_bytes(s.evidence)
    shutil.copy(s.root, o / f"{name}.pem")

async def test_try(prescription: Signed) -> None:
    dump(prescription, "rx")

async def test_try2(record: Signed) -> None:
    dump(record, "rec")
