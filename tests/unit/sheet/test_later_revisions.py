"""A second signature is no leave to change what the first one saw, even for somebody who holds the second key."""

import base64
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto.pem import unarmor
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from backend.context import Context
from backend.prescription import sheets
from backend.prescription.service import SUBJECT
from backend.sheet import pades
from backend.sheet.service import at_stage
from backend.sheet.statement import encoded
from foundation.canonical import canonical
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from foundation.ids import new_id
from tests.builders.visits import a_patient, accepted, signed
from tests.small_world import PHARMACIST
from tests.unit.sheet.conftest import Verify, read

pytestmark = pytest.mark.anyio
Change = Callable[[IncrementalPdfFileWriter], None]


def nothing(writer: IncrementalPdfFileWriter) -> None:
    """The honest pharmacist."""


def smaller_page(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    page["/MediaBox"] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 200, 200)))
    writer.update_container(page)


def other_drawing(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"0 0 m 9 9 l S"))
    writer.update_container(page)


def other_stamp_of_the_doctor(writer: IncrementalPdfFileWriter) -> None:
    field = writer.root["/AcroForm"]["/Fields"][0]
    field["/Rect"] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 9, 9)))
    writer.update_container(field)


def another_attachment(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/Names"] = generic.DictionaryObject()
    writer.update_root()


@pytest.mark.parametrize(
    ("change", "status"),
    [(nothing, 0), (smaller_page, 1), (other_drawing, 1), (other_stamp_of_the_doctor, 1), (another_attachment, 1)],
)  # fmt: skip
async def test_the_second_revision_fills_in_a_signature_and_nothing_else(
    running: Context, root: Path, verify: Verify, change: Change, status: int
) -> None:
    async with unit_of_work(running.db) as session:
        row = await signed(session, running, await accepted(session, running, await a_patient(session)))
    await sheets.make_sheet(Work(running, row.id))
    async with unit_of_work(running.db) as session:
        first = await at_stage(session, SUBJECT, row.id, row.digest, 1)
    assert first is not None
    writer = IncrementalPdfFileWriter(BytesIO(await read(running, first.object_key)))
    change(writer)

    pdf = await by_the_pharmacist(running, writer, canonical(row.content))

    said = verify(pdf, root)
    assert said.status == status, said.text


async def by_the_pharmacist(running: Context, writer: IncrementalPdfFileWriter, content: bytes) -> bytes:
    """Signed by her with whatever is in the writer."""
    token = (await running.ca.open_session(PHARMACIST.holder, PHARMACIST.pin, 3600)).session
    certificate = unarmor((await running.ca.certificates(token)).certificate_pem.encode())[2]

    async def sign(attributes: bytes) -> bytes:
        return base64.b64decode((await running.ca.sign_document(new_id(), token, attributes)).signature)

    known = await running.ca.authorities()
    remote = pades.Remote(certificate, known, sign, running.ca.time_stamp_reply)
    metadata = signers.PdfSignatureMetadata(
        field_name=sheets.PHARMACIST.name, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES,
        embed_validation_info=True, validation_context=pades.trust(known, running.clock.now()),
        dss_settings=pades.BEFORE_SIGNING,
    )  # fmt: skip
    signer = pades.RemoteSigner(certificate, known, encoded("pharmacist", content, b"", "approved"), remote)
    pdf_signer = signers.PdfSigner(metadata, signer, timestamper=pades.RemoteStamper(remote))
    out = await in_other_thread(pdf_signer, writer)
    return bytes(out.getvalue())


async def in_other_thread(pdf_signer: signers.PdfSigner, writer: IncrementalPdfFileWriter) -> BytesIO:
    import asyncio

    made = await asyncio.to_thread(
        lambda: asyncio.run(
            pdf_signer.async_sign_pdf(writer, existing_fields_only=True, bytes_reserved=2 * pades.LONGEST_CMS)
        )
    )
    assert isinstance(made, BytesIO)
    return made
