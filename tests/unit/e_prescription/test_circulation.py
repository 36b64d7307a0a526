"""Into the national centre's circulation and out of it, against the stand-in over a real socket."""

import dataclasses
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from backend.context import Context
from backend.e_prescription import queries, service
from backend.e_prescription.model import EPrescriptionRow
from backend.e_prescription.rules import Step, item_type, next_step, yuan
from backend.e_prescription.states import E_PRESCRIPTION, ERxState
from backend.e_prescription.tasks import drive
from backend.outside.e_prescription import Centre, EPrescriptionRefused, NoEPrescriptions, Seal
from backend.prescription import service as prescribing
from backend.prescription import sheets
from backend.prescription.model import PrescriptionRow
from backend.sheet.verify_sheet import verify as verified
from backend.wiring import wiring
from foundation.db.intents import Intent, TryLater, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Unavailable
from simulators.eprescription.app import create_app, declared_faults
from simulators.eprescription.settings import read
from simulators.server import Clock as SimulatorClock
from simulators.server import Faults, Listener, Reader, in_background
from tests.builders.settings import settings
from tests.builders.visits import a_patient, approved
from tests.database import SharedClock
from tests.small_world import DOCTOR
from tests.town import Town

pytestmark = pytest.mark.anyio
APP, SECRET, FIXMEDINS = "APP-OF-A-TEST-0001", "a secret of a test", "H31011400001"
FAULTS = declared_faults()


@pytest.fixture(scope="module")
def centre_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The stand-in, once for the module; each test's prescriptions are its own."""
    folder = tmp_path_factory.mktemp("epc")
    given = {
        "ENV": "test", "EPC_DATA": str(folder), "EPC_APP_ID": APP, "EPC_APP_SECRET": SECRET,
        "EPC_FIXMEDINS_CODE": FIXMEDINS,
    }  # fmt: skip
    app = create_app(read(Reader(given)), SimulatorClock(), FAULTS)
    with in_background([Listener(app, "127.0.0.1", 0)]) as (url,):
        yield url


@pytest.fixture
def faults() -> Iterator[Faults]:
    yield FAULTS
    FAULTS.replace({})


@pytest.fixture
async def connected(running: Context, centre_url: str, clock: SharedClock) -> AsyncIterator[Context]:
    """A hospital that is connected. The stand-in keeps real time, so does our side of the wire."""
    from foundation.clock import Clock

    running.e_prescriptions = Centre(centre_url, Seal(APP, SECRET), Clock())
    running.settings = dataclasses.replace(
        running.settings,
        epc_url=centre_url,
        epc_app_id=APP,
        epc_app_secret=SECRET,
        epc_fixmedins_code=FIXMEDINS,
        epc_fixmedins_name="示范医院",
    )
    yield running
    await running.e_prescriptions.close()


async def passed(context: Context) -> PrescriptionRow:
    """Approved, as the route does it."""
    async with unit_of_work(context.db) as session:
        row = await approved(session, context, await a_patient(session))
        for told in wiring().on_approved:
            await told(session, context, row.id)
        return row


async def with_a_sheet(context: Context) -> PrescriptionRow:
    """The same, and the worker has made its sheet."""
    row = await passed(context)
    await sheets.make_sheet(Work(context, row.id))
    return row


async def the_row(context: Context) -> EPrescriptionRow:
    async with unit_of_work(context.db) as session:
        return (await session.scalars(select(EPrescriptionRow))).one()


async def drives(context: Context) -> EPrescriptionRow:
    await drive(Work(context, (await the_row(context)).id))
    return await the_row(context)


async def at_the_centre(context: Context, url: str, number: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        found: dict[str, str] = (await client.get(f"{url}/taken")).json()["prescriptions"]
    return found.get(number, "")


async def withdraws(context: Context, row: PrescriptionRow) -> None:
    async with unit_of_work(context.db) as session:
        mine = await session.get_one(PrescriptionRow, row.id)
        await prescribing.cancel(session, DOCTOR.actor, mine, "剂量需调整")
        await wiring().on_withdrawn["prescription"](session, context, row.id)


async def test_an_approved_prescription_is_checked_signed_and_uploaded(
    connected: Context, centre_url: str
) -> None:
    row = await with_a_sheet(connected)

    mine = await drives(connected)

    assert (mine.state, mine.problem) == ("uploaded", "")
    assert mine.hi_rxno
    assert await at_the_centre(connected, centre_url, row.number) == "uploaded"
    known = await connected.e_prescriptions.query(row.number)
    assert known is not None
    assert (known.rxStasCodg, known.rxUsedStasCodg) == ("1", "0")


async def test_a_hospital_that_is_not_connected_uploads_nothing(running: Context) -> None:
    await passed(running)

    assert isinstance(running.e_prescriptions, NoEPrescriptions)
    async with unit_of_work(running.db) as session:
        assert (await session.scalars(select(EPrescriptionRow))).all() == []


async def test_a_withdrawn_one_leaves_circulation(connected: Context, centre_url: str) -> None:
    row = await with_a_sheet(connected)
    await drives(connected)

    await withdraws(connected, row)
    mine = await drives(connected)

    assert mine.state == "undone"
    assert await at_the_centre(connected, centre_url, row.number) == "undone"


async def test_what_the_centre_never_heard_of_is_dropped(connected: Context, centre_url: str) -> None:
    row = await with_a_sheet(connected)
    await withdraws(connected, row)

    mine = await drives(connected)

    assert mine.state == "dropped"
    assert await at_the_centre(connected, centre_url, row.number) == ""


@pytest.mark.parametrize("trouble", [{"down": True}, {"garbage": True}, {"wrong_signature": True}])
async def test_silence_and_nonsense_are_tried_again(
    connected: Context, centre_url: str, faults: Faults, trouble: dict[str, bool]
) -> None:
    await with_a_sheet(connected)
    faults.replace(trouble)

    with pytest.raises(Unavailable):
        await drives(connected)
    assert "没有响应" in (await the_row(connected)).problem
    faults.replace({})
    mine = await drives(connected)

    assert (mine.state, mine.problem) == ("uploaded", "")


async def test_a_lost_answer_makes_no_second_prescription(
    connected: Context, centre_url: str, faults: Faults
) -> None:
    row = await with_a_sheet(connected)
    faults.replace({"lose_answers": True})
    with pytest.raises(Unavailable):
        await drives(connected)
    assert await at_the_centre(connected, centre_url, row.number) == "checked"

    faults.replace({})
    mine = await drives(connected)

    assert mine.state == "uploaded"


async def test_what_was_checked_though_the_answer_was_lost_is_undone_when_it_is_withdrawn(
    connected: Context, centre_url: str, faults: Faults
) -> None:
    row = await with_a_sheet(connected)
    faults.replace({"lose_answers": True})
    with pytest.raises(Unavailable):
        await drives(connected)
    faults.replace({})
    await withdraws(connected, row)

    mine = await drives(connected)

    assert mine.state == "undone"
    assert await at_the_centre(connected, centre_url, row.number) == "undone"


async def test_a_refusal_waits_at_the_desk_and_goes_on_when_somebody_asks_again(
    connected: Context, faults: Faults
) -> None:
    await with_a_sheet(connected)
    faults.replace({"refuse": "药品编码未对照"})
    mine = await drives(connected)
    assert (mine.state, "药品编码未对照" in mine.problem) == ("wanted", True)
    async with unit_of_work(connected.db) as session:
        assert [one.row.id for one in await queries.listed(session, problems=True)] == [mine.id]

    faults.replace({})
    async with unit_of_work(connected.db) as session:
        await service.retry(session, DOCTOR.actor, mine.id)
        kinds = (await session.scalars(select(Intent.kind).where(Intent.subject == str(mine.id)))).all()
    mine = await drives(connected)

    assert service.DRIVE in kinds
    assert (mine.state, mine.problem) == ("uploaded", "")


async def test_one_that_was_used_cannot_be_undone_and_a_person_is_told(
    connected: Context, faults: Faults
) -> None:
    row = await with_a_sheet(connected)
    await drives(connected)
    await withdraws(connected, row)
    faults.replace({"used": True})

    mine = await drives(connected)

    assert (mine.state, "已使用" in mine.problem) == ("uploaded", True)


async def test_another_key_opens_nothing(centre_url: str) -> None:
    from foundation.clock import Clock

    stranger = Centre(centre_url, Seal(APP, "f" * 32), Clock())
    try:
        with pytest.raises(EPrescriptionRefused) as refused:
            await stranger.undo("HI1", "试试")
    finally:
        await stranger.close()

    assert "验签失败" in refused.value.detail


@pytest.mark.parametrize("text", ["", "00", "zz", "AB" * 16])
def test_what_was_not_sealed_by_us_is_not_opened(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Seal(APP, SECRET).opened(text)


@pytest.mark.parametrize("state", ERxState)
@pytest.mark.parametrize("withdrawn", [False, True])
def test_every_step_is_one_of_the_table(state: ERxState, withdrawn: bool) -> None:
    step = next_step(state, withdrawn=withdrawn)

    if step is not Step.NOTHING:
        E_PRESCRIPTION.find(state, step.value)


def test_money_and_kinds_in_the_centres_words() -> None:
    assert (yuan(1860), yuan(5), yuan(0)) == ("18.60", "0.05", "0.00")
    assert (item_type("0603"), item_type("1801")) == ("11", "12")


def test_an_address_alone_does_not_start(tmp_path: Path) -> None:
    from foundation.settings import SettingsError

    with pytest.raises(SettingsError) as wrong:
        settings(tmp_path, epc_url="http://127.0.0.1:9", epc_app_id="short")

    said = " ".join(wrong.value.problems)
    assert all(name in said for name in ("EPC_APP_ID", "EPC_APP_SECRET", "EPC_FIXMEDINS_CODE"))


async def test_the_centre_gets_the_sheet_that_doctor_and_pharmacist_signed(
    connected: Context, centre_url: str, town: Town
) -> None:
    row = await with_a_sheet(connected)
    await drives(connected)

    async with httpx.AsyncClient(trust_env=False) as client:
        pdf = (await client.get(f"{centre_url}/taken/{row.number}/sheet")).content

    said = verified(pdf, [town.ca_root.read_bytes()])
    assert said.good, said
    assert [one["purpose"] for one in said.signatures] == ["prescriber", "pharmacist"]


async def test_an_unsigned_sheet_is_waited_for_and_never_sent(connected: Context, centre_url: str) -> None:
    row = await passed(connected)

    with pytest.raises(TryLater):
        await drives(connected)
    waiting = await the_row(connected)
    assert (waiting.state, waiting.problem) == ("checked", "处方笺尚未签署完毕，完成后自动上传")
    assert await at_the_centre(connected, centre_url, row.number) == "checked"

    await sheets.make_sheet(Work(connected, row.id))
    mine = await drives(connected)

    assert (mine.state, mine.problem) == ("uploaded", "")


@pytest.mark.parametrize("sheet", [b"", b"not a page"])
async def test_the_centre_signs_no_prescription_without_a_sheet(
    connected: Context, centre_url: str, sheet: bytes
) -> None:
    row = await with_a_sheet(connected)
    async with unit_of_work(connected.db) as session:
        content = await queries.content(session, connected.settings, row)
    known = await connected.e_prescriptions.check(content)

    with pytest.raises(EPrescriptionRefused) as refused:
        await connected.e_prescriptions.sign(known.hiRxno, known.rxTraceCode, b"{}", sheet)

    assert "A0205" in refused.value.detail


def test_the_key_is_made_of_id_and_secret_as_the_public_clients_make_it() -> None:
    """Recomputed by hand with another SM4, that of OpenSSL's command, where there is one."""
    seal = Seal("0123456789ABCDEFXYZ", "NOT-A-REAL-SECRET")
    command = ["openssl", "enc", "-sm4-ecb", "-K", b"0123456789ABCDEF".hex()]
    done = subprocess.run(command, input=seal.secret.encode(), capture_output=True, check=False)
    if done.returncode:
        pytest.skip("openssl without SM4")

    assert seal.key == done.stdout.hex().upper()[:16].encode()
    assert seal.opened(seal.sealed("处方".encode())) == "处方".encode()
