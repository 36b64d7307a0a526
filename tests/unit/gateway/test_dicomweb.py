"""What the gateway asks an image archive, and which of its answers it believes."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
from aiohttp import web

from contracts import his
from foundation.clock import Clock
from foundation.errors import AppError
from front_gateway.deadline import Deadline
from front_gateway.dialects import Who
from front_gateway.dialects.dicomweb.dialect import DicomwebDialect, query_of
from front_gateway.dialects.dicomweb.opened import Instance
from front_gateway.dialects.fhir.dialect import FhirDialect
from front_gateway.dialects.fhir.systems import Systems
from front_gateway.dialects.hashes import resource_hash
from front_gateway.dialects.with_images import WithImages
from front_gateway.note import Note
from front_gateway.policy.reading import WhitelistError, parse_policy
from front_gateway.refusals import Target
from front_gateway.upstream import Upstream
from tests.unit.gateway import fhir
from tests.unit.gateway.background import Loop, OtherSide, Seen, serve


def who(*numbers: str) -> Who:
    return Who("P1", numbers, "王秀英", frozenset({"王秀英"}), "female", date(1958, 3, 5))


HER = who("P1", "P9")
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
JPEG = b"\xff\xd8\xff\xe0" + b"0" * 64
STUDY, SERIES, INSTANCE = "1.2.1", "1.2.1.1", "1.2.1.1.1"
ID = resource_hash("ImagingStudy", STUDY)
SERIES_AT = f"GET /dicom-web/studies/{STUDY}/series"
INSTANCES_AT = f"{SERIES_AT}/{SERIES}/instances"
RENDERED_AT = f"{INSTANCES_AT}/{INSTANCE}/frames/1/rendered"


class Archive(OtherSide):
    """An archive that says what a test tells it, and a dialect that speaks to it."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop()
        self.stack = contextlib.AsyncExitStack()
        self.dialect = self.loop.run(self._start())

    async def _start(self) -> DicomwebDialect:
        port = await serve(self.stack, self)
        self.address = f"http://127.0.0.1:{port}/dicom-web"
        upstream = Upstream(Target.PACS, self.address, None, max_reply=100_000)
        return DicomwebDialect(await self.stack.enter_async_context(upstream))

    def close(self) -> None:
        """Stop."""
        self.loop.run(self.stack.aclose())
        self.loop.close()

    def entries(self, call: str, *entries: dict[str, Any]) -> None:
        """Answer `call` with these, once and on every page."""
        self.on(call, list(entries), content_type="application/dicom+json")

    def pictures(self, call: str, kind: str, content: bytes) -> None:
        """Answer `call` with a picture, and 406 to who wants another kind."""

        def answer(seen: Seen) -> web.Response:
            fits = seen.headers["accept"] == kind
            return web.Response(body=content if fits else b"", status=200 if fits else 406, content_type=kind)

        self.answers[call] = answer

    def studies(self, since: date = date(2020, 1, 1), person: Who = HER) -> list[his.ImageStudy]:
        request = his.ImageStudies(purpose="treatment", patient_id="P1", since=since)
        return self.loop.run(self.dialect.studies(request, person, Deadline(5), Note())).studies

    def frame(self, **place: Any) -> his.ImageFrameReply:
        request = his.ImageFrame(purpose="treatment", patient_id="P1", study_id=ID, **place)
        return self.loop.run(self.dialect.frame(request, HER, Deadline(5), Note()))


def attributes(**values: Any) -> dict[str, Any]:
    """`_00100020="P1"` as DICOM JSON."""
    return {tag[1:]: {"vr": "UN", "Value": [value]} for tag, value in values.items()}


def study(patient: str = "P1", uid: str = STUDY, **more: Any) -> dict[str, Any]:
    return attributes(_00100020=patient, _0020000D=uid, _00080020="20261110", _00080061="CT", **more)


@pytest.fixture
def archive() -> Iterator[Archive]:
    made = Archive()
    made.entries("GET /dicom-web/studies", study())
    made.entries(SERIES_AT, attributes(_0020000D=STUDY, _0020000E=SERIES, _00080060="CT"))
    made.entries(
        INSTANCES_AT, attributes(_00080018=INSTANCE, _0020000E=SERIES, _00100020="P1", _00280010=2_000, _00280011=1_000)
    )  # fmt: skip
    made.pictures(RENDERED_AT, "image/jpeg", JPEG)
    yield made
    made.close()


def code_of(error: pytest.ExceptionInfo[AppError]) -> str:
    return error.value.code


def test_queries_are_written_by_hand_without_anything_to_decode(archive: Archive) -> None:
    archive.studies(date(2026, 11, 1))

    first, second = archive.asked("GET", "/dicom-web/studies")
    assert "%" not in first.target + second.target
    asked = [dict(parse_qsl(one.target.split("?")[1])) for one in (first, second)]
    assert [one["PatientID"] for one in asked] == ["P1", "P9"]
    assert asked[0]["StudyDate"] == "20261101-"


def test_a_number_that_would_need_encoding_or_is_a_wildcard_is_not_asked_for(archive: Archive) -> None:
    assert archive.studies(person=who("P*", "P 1", "P/1", "P1&PatientID=P2", "")) == []
    assert archive.seen == []


def test_an_entry_without_a_number_or_with_another_s_shows_nothing(archive: Archive) -> None:
    for entry in (study("P2", "1.2.2"), attributes(_0020000D="1.2.2")):
        archive.entries("GET /dicom-web/studies", study(), entry)

        with pytest.raises(AppError) as error:
            archive.studies()

        assert code_of(error) == "wrong_subject"


def test_her_other_number_is_hers_and_another_spelling_is_not(archive: Archive) -> None:
    archive.entries("GET /dicom-web/studies", study(), study("P9", "1.2.9"), study("p1", "1.2.8"))

    assert {one.study_id for one in archive.studies()} == {ID, resource_hash("ImagingStudy", "1.2.9")}


def test_a_server_that_ignores_paging_is_not_asked_for_ever(archive: Archive) -> None:
    archive.entries("GET /dicom-web/studies", *(study(uid=f"1.2.{number}") for number in range(100)))

    assert len(archive.studies()) == 100
    assert len(archive.seen) == 4  # two numbers, and a second page each that brought nothing new


def test_pages_are_joined(archive: Archive) -> None:
    def page(seen: Seen) -> web.Response:
        asked = dict(parse_qsl(seen.target.split("?")[1]))
        start = int(asked["offset"])
        made = [
            study(asked["PatientID"], f"1.{start + number}") for number in range(100 if start < 200 else 7)
        ]
        return web.Response(body=msgspec.json.encode(made), content_type="application/dicom+json")

    archive.answers["GET /dicom-web/studies"] = page

    assert len(archive.studies(person=who("P1"))) == 207


def test_descriptions_in_gb18030_are_read(archive: Archive) -> None:
    raw = msgspec.json.encode([study(_00081030="胸部CT平扫")]).decode().encode("gb18030")
    archive.on("GET /dicom-web/studies", raw, content_type="application/dicom+json")

    assert [one.description for one in archive.studies()] == ["胸部CT平扫"]


@pytest.mark.parametrize(
    "raw", [b"<html>", b"{}", b"[1]", b"\xff\xff", b'[{"0020000D":{"vr":"UI"}}]'], ids=repr
)
def test_what_is_no_dicom_json_is_not_believed(archive: Archive, raw: bytes) -> None:
    archive.on("GET /dicom-web/studies", raw, content_type="application/dicom+json")

    with pytest.raises(AppError) as error:
        archive.studies()

    assert code_of(error) == "hospital_answer_unusable"


def test_a_large_picture_is_asked_for_smaller_in_its_own_proportions(archive: Archive) -> None:
    reply = archive.frame(viewport=500, window=his.ImageWindow(-600, 1_500))

    assert (reply.media_type, reply.content) == ("image/jpeg", JPEG)
    asked = archive.asked("GET", RENDERED_AT.removeprefix("GET "))[0].target
    assert asked.endswith("?viewport=250,500&window=-600,1500,linear")


@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [(512, 512, ""), (0, 0, "viewport=1024,1024"), (2_048, 8, "viewport=4,1024"), (90_000, 1, "viewport=1,1024")],
)  # fmt: skip
def test_nothing_is_enlarged(rows: int, columns: int, said: str) -> None:
    request = his.ImageFrame(purpose="treatment", patient_id="P1", study_id=ID)

    assert query_of(request, Instance("1.2", 1, rows, columns, named=True)) == said


def test_an_archive_without_jpeg_is_asked_for_png(archive: Archive) -> None:
    archive.pictures(RENDERED_AT, "image/png", PNG)

    assert archive.frame().media_type == "image/png"


def test_a_picture_of_another_kind_or_size_is_not_passed_on(archive: Archive) -> None:
    for kind, content in (
        ("image/jpeg", b"<html>"),
        ("image/jpeg", PNG),
        ("image/jpeg", JPEG + b"0" * 200_000),
    ):
        archive.pictures(RENDERED_AT, kind, content)

        with pytest.raises(AppError) as error:
            archive.frame()

        assert code_of(error) == "hospital_answer_unusable"


def test_an_instance_that_does_not_say_whose_it_is_is_asked_for_its_metadata_first(archive: Archive) -> None:
    archive.entries(INSTANCES_AT, attributes(_00080018=INSTANCE, _0020000E=SERIES))
    metadata = f"{INSTANCES_AT}/{INSTANCE}/metadata"
    archive.entries(metadata, study() | attributes(_00080018=INSTANCE))

    assert archive.frame().content == JPEG
    assert [one.target.rsplit("/", 1)[1].split("?")[0] for one in archive.seen[-2:]] == [
        "metadata",
        "rendered",
    ]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (study("P2") | attributes(_00080018=INSTANCE), "wrong_subject"),
        (study("p1") | attributes(_00080018=INSTANCE), "wrong_subject"),
        (study(uid="1.2.7") | attributes(_00080018=INSTANCE), "hospital_answer_unusable"),
        (study() | attributes(_00080018="1.2.3"), "hospital_answer_unusable"),
    ],
)
def test_another_s_metadata_end_the_look(archive: Archive, entry: dict[str, Any], code: str) -> None:
    archive.entries(INSTANCES_AT, attributes(_00080018=INSTANCE, _0020000E=SERIES))
    archive.entries(f"{INSTANCES_AT}/{INSTANCE}/metadata", entry)

    with pytest.raises(AppError) as error:
        archive.frame()

    assert code_of(error) == code
    assert archive.asked("GET", RENDERED_AT.removeprefix("GET ")) == []


def test_an_instance_of_another_in_her_series_is_not_shown(archive: Archive) -> None:
    archive.entries(INSTANCES_AT, attributes(_00080018=INSTANCE, _0020000E=SERIES, _00100020="P2"))

    with pytest.raises(AppError) as error:
        archive.frame()

    assert code_of(error) == "wrong_subject"


def test_series_of_reports_and_marks_are_no_pictures(archive: Archive) -> None:
    archive.entries(
        SERIES_AT,
        attributes(_0020000D=STUDY, _0020000E="1.2.1.0", _00080060="SR", _00200011=0),
        attributes(_0020000D=STUDY, _0020000E=SERIES, _00080060="CT", _00200011=1),
    )

    assert archive.frame().series_count == 1


def test_a_study_of_nobody_s_is_not_found(archive: Archive) -> None:
    archive.entries("GET /dicom-web/studies")

    with pytest.raises(AppError) as error:
        archive.frame()

    assert code_of(error) == "image_not_found"


def test_the_next_picture_needs_no_second_search(archive: Archive) -> None:
    archive.frame()
    archive.frame()

    assert len(archive.asked("GET", "/dicom-web/studies")) == 2  # one for each of her numbers
    assert len(archive.asked("GET", RENDERED_AT.removeprefix("GET "))) == 2


@pytest.mark.parametrize(
    ("system", "identifiers", "numbers"),
    [
        ("", [], ("1",)),
        ("", [{"system": "urn:record", "value": "B7"}], ("1",)),
        ("urn:record", [{"system": "urn:record", "value": "B7"}], ("B7",)),
        ("urn:record", [], ()),
    ],
)
def test_the_archive_s_numbers_are_ids_or_record_numbers_and_never_both(
    archive: Archive, system: str, identifiers: list[dict[str, str]], numbers: tuple[str, ...]
) -> None:
    archive.on("GET /dicom-web/Patient/1", fhir.patient("1", identifier=identifiers))

    async def asked() -> Who:
        async with Upstream(Target.HIS, archive.address, None) as his_side:
            dialect = FhirDialect(his_side, Systems(record_number=system), Clock())
            return await dialect.who("1", Deadline(5), fresh=False)

    assert archive.loop.run(asked()).numbers == numbers


def test_no_line_of_the_whitelist_names_the_archive_itself() -> None:
    caller = {"identity": "spiffe://internet-hospital/backend-api", "addresses": ["127.0.0.1/32"]}
    entry = {"name": "x", "callers": ["api"], "target": "pacs", "operation": "image-frame", "max_body": 10}

    with pytest.raises(WhitelistError, match="behind target 'his'"):
        parse_policy({"callers": {"api": caller}, "entry": [entry]})


class Main:
    """A main dialect, and who somebody is for it."""

    def __init__(self) -> None:
        self.asked: list[his.HisRequest] = []

    async def answer(self, request: his.HisRequest, deadline: Deadline, note: Note) -> str:
        self.asked.append(request)
        return "main"

    async def ready(self, deadline: Deadline) -> None:
        """It is."""

    async def who(self, patient_id: str, deadline: Deadline, *, fresh: bool) -> Who:
        """Her with two numbers."""
        assert not fresh
        return HER


def test_images_go_to_the_archive_and_everything_else_to_the_main_dialect(archive: Archive) -> None:
    images = his.ImageStudies(purpose="treatment", patient_id="P1", since=date(2020, 1, 1))
    visits = his.Visits(purpose="treatment", patient_id="P1", since=date(2020, 1, 1))

    async def answers(main: Main, registry: Main) -> tuple[list[str], str]:
        async with Upstream(Target.PACS, archive.address, None) as pacs:
            dialect, note = WithImages(main, pacs, registry=registry), Note()
            assert await dialect.answer(visits, Deadline(5), Note()) == "main"
            await dialect.answer(images, Deadline(5), note)
        asked = [dict(parse_qsl(one.target.split("?")[1]))["PatientID"] for one in archive.seen]
        archive.seen.clear()
        assert main.asked == [visits]
        return asked, note.subject

    assert archive.loop.run(answers(Main(), Main())) == (["P1", "P9"], resource_hash("Patient", "P1"))


def test_without_an_archive_the_refusal_says_so() -> None:
    images = his.ImageStudies(purpose="treatment", patient_id="P1", since=date(2020, 1, 1))

    with pytest.raises(AppError) as error:
        asyncio.run(WithImages(Main(), None, registry=Main()).answer(images, Deadline(5), Note()))

    assert code_of(error) == "images_not_connected"
