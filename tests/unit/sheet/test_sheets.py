import pytest

from tests.unit.sheet.conftest import Signed

pytestmark = pytest.mark.anyio


async def test_try(prescription: Signed, record: Signed) -> None:
    import pathlib, shutil
    pathlib.Path("/tmp/sigfont/out").mkdir(exist_ok=True)
    o = pathlib.Path("/tmp/sigfont/out")
    (o / "rx.pdf").write_bytes(prescription.pdf); (o / "rx.json").write_bytes(prescription.evidence)
    (o / "rec.pdf").write_bytes(record.pdf); (o / "rec.json").write_bytes(record.evidence)
    shutil.copy(prescription.root, o / "root.pem")
