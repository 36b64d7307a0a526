"""Doctor's and patient's pictures: the gateway before our double of an image archive, and before a real Orthanc."""

import base64
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.his import ImageFrameReply, ImageStudiesReply, ImageStudy
from standalone.certificates import Certificates
from tests.contract import archives, hospitals
from tests.contract.archives import Archive
from tests.contract.hospitals import Gateway

SHE = "P0000001"
HE = "P0000012"
MERGED, FORMER = "P0000015", "P9000015"


@dataclass(frozen=True)
class Images:
    """A gateway between the hospital and an archive."""

    gateway: Gateway
    archive: Archive

    def ask(self, operation: str, **body: Any) -> tuple[int, Any]:
        reply = self.gateway.ask(operation, purpose="treatment", **body)
        return reply.status_code, reply.json()

    def studies(self, patient: str, since: str = "2020-01-01") -> list[ImageStudy]:
        status, body = self.ask("image-studies", patient_id=patient, since=since)
        assert status == 200, body
        return msgspec.convert(body, ImageStudiesReply).studies

    def frame(self, patient: str, study_id: str, **place: Any) -> ImageFrameReply:
        status, body = self.ask("image-frame", patient_id=patient, study_id=study_id, **place)
        assert status == 200, body
        return msgspec.convert(body, ImageFrameReply)

    def refusal(self, patient: str, study_id: str, **place: Any) -> tuple[int, str]:
        status, body = self.ask("image-frame", patient_id=patient, study_id=study_id, **place)
        return status, body["code"]


@pytest.fixture(scope="module", params=["double", "orthanc"])
def images(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Images]:
    if request.param == "orthanc" and not archives.orthanc_program():
        pytest.skip(f"no Orthanc here: {archives.INSTALL}")
    folder: Path = tmp_path_factory.mktemp(f"images-{request.param}")
    kept = folder / "archive"
    kept.mkdir()
    with ExitStack() as stack:
        enter = stack.enter_context
        archive = enter(
            archives.orthanc(kept) if request.param == "orthanc" else archives.double(kept, certificates)
        )
        hospital = enter(hospitals.simulator(folder, certificates))
        gateway = enter(hospitals.gateway_before(hospital, folder, certificates, **archive.settings))
        yield Images(gateway, archive)


@pytest.fixture
def faulty(images: Images) -> Iterator[Images]:
    """Only our double has fault switches."""
    if not images.archive.health:
        pytest.skip("this archive has no fault switches")
    yield images
    images.archive.faults()


def size_of(content: bytes) -> tuple[int, int]:
    """(columns, rows) of a PNG or a baseline JPEG."""
    if content.startswith(b"\x89PNG"):
        columns, rows = struct.unpack(">II", content[16:24])
        return columns, rows
    at = 2
    while content[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    rows, columns = struct.unpack(">HH", content[at + 5 : at + 9])
    return columns, rows


def test_a_patient_s_studies_are_listed_newest_first(images: Images) -> None:
    found = images.studies(SHE)

    assert [(str(one.day), one.modality, one.description, one.accession_number) for one in found] == [
        ("2026-11-10", "CT", "胸部CT平扫", "ACC-CT"),
        ("2026-05-02", "US", "甲状腺超声", "ACC-US"),
    ]
    assert [(one.series, one.instances) for one in found] == [(2, 4), (1, 1)]


def test_studies_before_the_day_are_left_out(images: Images) -> None:
    assert [one.accession_number for one in images.studies(SHE, "2026-11-10")] == ["ACC-CT"]
    assert images.studies(SHE, "2026-11-11") == []


def test_a_number_that_differs_in_case_alone_is_somebody_else_s(images: Images) -> None:
    assert "不是她的" not in [one.description for one in images.studies(SHE)]


def test_studies_under_a_former_number_are_hers(images: Images) -> None:
    for number in (MERGED, FORMER):
        (found,) = images.studies(number)
        assert found.accession_number == "ACC-OLD"
        assert images.frame(number, found.study_id).description == "胸部正位片"


def test_a_study_is_known_by_a_digest_and_its_number_never_leaves(images: Images) -> None:
    reply = images.gateway.ask("image-studies", purpose="treatment", patient_id=SHE, since="2020-01-01")

    assert all(one["study_id"] == one["resource_hash"] for one in reply.json()["studies"])
    assert "1.2.826" not in reply.text
    assert "2.25." not in reply.text


def test_a_picture_comes_with_its_place_and_no_larger_than_asked(images: Images) -> None:
    study = images.studies(SHE)[0]

    found = images.frame(SHE, study.study_id, instance=2, viewport=128)

    assert found.media_type in ("image/jpeg", "image/png")
    assert max(size_of(found.content)) <= 128
    assert (found.series, found.series_count, found.series_description) == (1, 2, "肺窗")
    assert (found.instance, found.instance_count, found.frame, found.frame_count) == (2, 3, 1, 1)
    assert (found.modality, found.resource_hash) == ("CT", study.resource_hash)


def test_a_picture_keeps_its_proportions_and_is_not_enlarged(images: Images) -> None:
    study = images.studies(SHE)[0]

    small, large = (images.frame(SHE, study.study_id, viewport=side) for side in (100, 2_048))

    (wide, high), (most_wide, most_high) = size_of(small.content), size_of(large.content)
    assert max(wide, high) == 100
    assert abs(wide / high - most_wide / most_high) < 0.02
    if images.archive.name == "orthanc":
        assert (most_wide, most_high) == (archives.COLUMNS, archives.ROWS)


def test_every_instance_and_every_frame_is_another_picture(images: Images) -> None:
    ct, moving = images.studies(SHE)

    slices = {images.frame(SHE, ct.study_id, instance=number).content for number in (1, 2, 3)}
    frames = [images.frame(SHE, moving.study_id, frame=number) for number in (1, 2, 5)]

    assert len(slices) == 3
    assert len({one.content for one in frames}) == 3
    assert [(one.frame, one.frame_count) for one in frames] == [(1, 5), (2, 5), (5, 5)]


def test_a_window_changes_what_is_seen(images: Images) -> None:
    study = images.studies(SHE)[0]
    usual = images.frame(SHE, study.study_id)

    narrow = images.frame(SHE, study.study_id, window={"center": 40, "width": 80})

    assert narrow.content != usual.content


def test_what_is_not_there_is_not_found(images: Images) -> None:
    study = images.studies(SHE)[0].study_id

    for place in ({"series": 3}, {"instance": 4}, {"frame": 2}, {"series": 2, "instance": 2}):
        assert images.refusal(SHE, study, **place) == (404, "image_not_found")


def test_another_patient_s_study_is_not_found_under_her_name(images: Images) -> None:
    his = images.studies(HE)[0]
    assert images.frame(HE, his.study_id).description == "头颅CT"

    assert images.refusal(SHE, his.study_id) == (404, "image_not_found")
    assert images.refusal(HE, images.studies(SHE)[0].study_id) == (404, "image_not_found")


def test_nobody_s_studies_are_nobody_s(images: Images) -> None:
    status, body = images.ask("image-studies", patient_id="P7777777", since="2020-01-01")

    assert (status, body["code"]) == (404, "patient_not_found")


def test_only_the_api_may_ask_and_only_to_treat(images: Images) -> None:
    body = {"patient_id": SHE, "since": "2020-01-01"}

    worker = images.gateway.worker.post("/his/v1/image-studies", json={"purpose": "treatment", **body})
    other = images.gateway.api.post("/his/v1/image-studies", json={"purpose": "eligibility", **body})

    assert [one.json()["code"] for one in (worker, other)] == ["not_listed", "not_listed"]


def test_the_audit_names_the_patient_by_digest_and_holds_no_picture(images: Images) -> None:
    study = images.studies(SHE)[0]
    images.frame(SHE, study.study_id)

    written = b"".join(one.read_bytes() for one in images.gateway.audit.glob("*.jsonl"))

    line = msgspec.json.decode([one for one in written.splitlines() if b'"image-frame"' in one][-1])
    assert (line["entry"], line["purpose"], line["resources"]) == ("image-frame", "treatment", 1)
    assert "胸部".encode() not in written
    assert SHE.encode() not in written


def test_an_archive_that_adds_somebody_else_s_study_shows_nothing(faulty: Images) -> None:
    study = faulty.studies(SHE)[0]
    faulty.archive.faults(somebody_elses=True)

    status, body = faulty.ask("image-studies", patient_id=SHE, since="2020-01-01")

    assert (status, body["code"]) == (502, "wrong_subject")
    assert faulty.refusal(HE, study.study_id) == (502, "wrong_subject")


def test_garbage_from_the_archive_is_not_passed_on(faulty: Images) -> None:
    faulty.archive.faults(garbage=True)

    status, body = faulty.ask("image-studies", patient_id=SHE, since="2020-01-01")

    assert (status, body["code"]) == (502, "hospital_answer_unusable")


def test_an_archive_that_is_down_takes_nothing_else_away(faulty: Images) -> None:
    faulty.archive.faults(down=True)

    status, body = faulty.ask("image-studies", patient_id=SHE, since="2020-01-01")

    assert (status, body["code"]) == (503, "hospital_unreachable")
    history = faulty.gateway.ask("history", purpose="treatment", patient_id=SHE, since="2026-01-01")
    assert history.status_code == 200


def test_without_an_archive_the_answer_says_so(
    tmp_path: Path, certificates: Certificates, images: Images
) -> None:
    with hospitals.gateway_before(images.gateway.hospital, tmp_path, certificates) as gateway:
        reply = gateway.ask("image-studies", purpose="treatment", patient_id=SHE, since="2020-01-01")

    assert (reply.status_code, reply.json()["code"]) == (422, "images_not_connected")


def test_a_picture_travels_as_base64(images: Images) -> None:
    _, body = images.ask("image-frame", patient_id=SHE, study_id=images.studies(SHE)[0].study_id)

    assert base64.b64decode(body["content"])[:3] in (b"\xff\xd8\xff", b"\x89PN")
