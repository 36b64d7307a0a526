"""Two image archives that the gateway must get along with: our double, and Debian's Orthanc with files that were sent to it."""

import contextlib
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
)

from standalone.certificates import Certificates
from tests.contract.hospitals import environment
from tests.contract.started import free_port, running

INSTALL = "apt-get install --no-install-recommends orthanc orthanc-dicomweb"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
ROWS, COLUMNS = 1_200, 300


def orthanc_program() -> str:
    """Path of Orthanc; empty when it or its plugin is not installed."""
    return (shutil.which("Orthanc", path="/usr/sbin:/usr/bin") or "") if PLUGIN.is_file() else ""


@dataclass(frozen=True)
class Archive:
    """A running archive; `settings` point a gateway at it, `health` has the double's fault switches."""

    name: str
    settings: dict[str, str]
    health: str = ""

    def faults(self, **values: Any) -> None:
        """Switch exactly these on."""
        answer = httpx.put(f"{self.health}/_test/faults", json=values)
        assert answer.status_code == 200, answer.text


STUDIES: list[dict[str, Any]] = [
    {"accession": "ACC-CT", "patient": "P0000001", "name": "周^桂珍", "day": "2026-11-10", "modality": "CT",
     "description": "胸部CT平扫", "series": [{"description": "肺窗", "instances": 3}, {"description": "纵隔窗", "instances": 1}]},
    {"accession": "ACC-US", "patient": "P0000001", "name": "周^桂珍", "day": "2026-05-02", "modality": "US",
     "description": "甲状腺超声", "series": [{"description": "动态", "frames": 5}]},
    {"accession": "ACC-OLD", "patient": "P9000015", "name": "朱^玉华", "day": "2026-10-20", "modality": "DX",
     "description": "胸部正位片", "series": [{"description": "正位"}]},
    {"accession": "ACC-MAN", "patient": "P0000012", "name": "卫^学明", "day": "2026-11-01", "modality": "CT",
     "description": "头颅CT", "series": [{"description": "脑窗", "instances": 2}]},
    {"accession": "ACC-CASE", "patient": "p0000001", "name": "钱^国梁", "day": "2026-11-02", "modality": "CT",
     "description": "不是她的", "series": [{"description": "脑窗"}]},
]  # fmt: skip
"""What lies in both. The last belongs to somebody whose number differs from hers in case alone."""
GB18030 = {"ACC-US", "ACC-OLD"}
"""Written in GB18030, the others in UTF-8."""


@contextlib.contextmanager
def double(folder: Path, certificates: Certificates) -> Iterator[Archive]:
    """Our own, by mutual TLS."""
    (folder / "imaging.json").write_text(json.dumps(STUDIES), encoding="utf-8")
    port, health, pair = free_port(), free_port(), certificates.hospital["pacs"]
    env = environment(
        PORT=str(port),
        HEALTH_PORT=str(health),
        PACS_WORLD=str(folder),
        PACS_TLS_CERT=str(pair.certificate),
        PACS_TLS_KEY=str(pair.key),
        PACS_TLS_CA=str(certificates.hospital.root),
        PACS_TLS_CLIENTS=certificates.hospital["gateway-a"].identity,
    )
    ours = certificates.hospital["gateway-a"]
    settings = {
        "PACS_URL": f"https://127.0.0.1:{port}/dicom-web",
        "PACS_CERT": str(ours.certificate),
        "PACS_KEY": str(ours.key),
        "PACS_ROOT": str(certificates.hospital.root),
    }
    command = [sys.executable, "-m", "simulators", "pacs"]
    with running(command, port=port, folder=folder, env=env, name="pacs"):
        yield Archive("double", settings, f"http://127.0.0.1:{health}")


@contextlib.contextmanager
def orthanc(folder: Path) -> Iterator[Archive]:
    """Debian's, for callers of this machine alone, with the same studies sent to it (STOW-RS)."""
    port = free_port()
    configuration = {
        "Name": "TEST", "HttpPort": port, "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
        "DefaultEncoding": "Utf8",  # else it answers in Latin-1, Chinese left out
        "DicomServerEnabled": False, "StorageDirectory": str(folder / "kept"), "IndexDirectory": str(folder / "kept"),
        "Plugins": [str(PLUGIN)], "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(configuration), encoding="utf-8")
    command = [orthanc_program(), str(folder / "orthanc.json")]
    url = f"http://127.0.0.1:{port}/dicom-web"
    with running(command, port=port, folder=folder, env=environment(), name="orthanc"):
        send(url, [file for row in STUDIES for file in files_of(row)])
        yield Archive("orthanc", {"PACS_URL": url})


def send(url: str, files: Sequence[bytes]) -> None:
    """STOW-RS."""
    parts = [b"--part\r\ncontent-type: application/dicom\r\n\r\n" + one + b"\r\n" for one in files]
    headers = {
        "content-type": 'multipart/related; type="application/dicom"; boundary=part',
        "accept": "application/dicom+json",
    }
    answer = httpx.post(
        f"{url}/studies", content=b"".join(parts) + b"--part--\r\n", headers=headers, timeout=20
    )
    assert answer.status_code == 200, answer.text


def files_of(row: dict[str, Any]) -> Iterator[bytes]:
    """The DICOM files of a study; instances are sent last one first, so that order comes from their numbers."""
    root = f"1.2.826.0.1.3680043.10.1561.{STUDIES.index(row) + 1}"
    for place, series in enumerate(row["series"], 1):
        for number in range(series.get("instances", 1), 0, -1):
            yield _file(row, series, f"{root}.{place}", number, root)


def _file(row: dict[str, Any], series: dict[str, Any], series_uid: str, number: int, study_uid: str) -> bytes:
    frames = series.get("frames", 1)
    one = Dataset()
    one.SpecificCharacterSet = "GB18030" if row["accession"] in GB18030 else "ISO_IR 192"
    one.PatientID, one.PatientName = row["patient"], row["name"]
    one.StudyInstanceUID, one.SeriesInstanceUID = study_uid, series_uid
    one.SOPInstanceUID = f"{series_uid}.{number}"
    one.SOPClassUID = CTImageStorage if frames == 1 else MultiFrameGrayscaleWordSecondaryCaptureImageStorage
    one.StudyDate, one.StudyTime = row["day"].replace("-", ""), "101500"
    one.AccessionNumber, one.StudyDescription = row["accession"], row["description"]
    one.SeriesDescription, one.Modality = series["description"], row["modality"]
    one.SeriesNumber, one.InstanceNumber = int(series_uid.rsplit(".", 1)[1]), number
    one.Rows, one.Columns, one.SamplesPerPixel, one.PhotometricInterpretation = (
        ROWS,
        COLUMNS,
        1,
        "MONOCHROME2",
    )
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 12, 11, 0
    one.WindowCenter, one.WindowWidth = 2_048, 4_096
    if frames > 1:
        one.NumberOfFrames = frames
    one.PixelData = b"".join(_pixels(number + frame) for frame in range(frames))
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    written = BytesIO()
    one.save_as(written, enforce_file_format=True)
    return written.getvalue()


def _pixels(shade: int) -> bytes:
    """A ramp that begins darker or lighter: pictures differ from one another."""
    line = b"".join(((x * 13 + shade * 500) % 4_096).to_bytes(2, "little") for x in range(COLUMNS))
    return line * ROWS
