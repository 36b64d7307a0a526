"""The national insurance's e-prescription centre (医保电子处方中心): pre-check, sign, upload, undo, query.

Field names are those of public client code (docs/counterparts.md); the envelope is SM4 for the data and a signature over the sorted
fields. What a real centre asks beyond that, SM2 above all, is given to a hospital with its contract: `Seal` is the place for it.
"""

# ruff: noqa: N815 -- the centre's own field names, letter by letter

import base64
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.padding import PKCS7

from backend.outside.calling import answered, reaching, trace
from foundation.client import http_client
from foundation.clock import Clock
from foundation.errors import AppError, Conflict, Unavailable

T = TypeVar("T")
WHO = "医保电子处方中心"
BASE = "/epc/api/fixmedins/"
VERSION = "1.0.0"


class RxItem(msgspec.Struct, frozen=True):
    """A line. `rxItemTypeCode` 11 western, 12 patent, 13 herbal; `hospApprFlag` 1 reimbursed, 2 self-pay."""

    medListCodg: str
    fixmedinsHilistId: str
    rxItemTypeCode: str
    otcFlag: str
    drugGenname: str
    drugDosform: str
    drugSpec: str
    medcWayCodg: str
    sinDoscnt: str
    sinDosunt: str
    usedFrquCodg: str
    medcDays: str
    drugCnt: str
    drugDosunt: str
    drugPric: str
    drugSumamt: str
    hospApprFlag: str
    selfPayRea: str = ""


class RxContent(msgspec.Struct, frozen=True):
    """A prescription as the centre takes it. `hospRxno` is our number; amounts are yuan with two decimals."""

    hospRxno: str
    fixmedinsCode: str
    fixmedinsName: str
    prscTime: str
    rxDrugCnt: str
    valiDays: str
    valiEndTime: str
    reptFlag: str
    maxReptCnt: str
    minInrvDays: str
    rxTypeCode: str
    longRxFlag: str
    bizTypeCode: str
    psnName: str
    psnCertType: str
    certno: str
    drName: str
    drCode: str
    pharName: str
    pharCode: str
    diseCodg: str
    diseName: str
    rxDetlList: list[RxItem]


class Checked(msgspec.Struct, frozen=True):
    """Answer of the pre-check."""

    rxTraceCode: str
    hiRxno: str


class SignedRx(msgspec.Struct, frozen=True):
    """Answer of the insurance's signature."""

    rxFile: str
    signDigest: str


class Uploaded(msgspec.Struct, frozen=True):
    """Answer of the upload."""

    hiRxno: str
    rxStasCodg: str


class RxState(msgspec.Struct, frozen=True):
    """What the centre knows: `rxStasCodg` 1 valid, 2 undone; `rxUsedStasCodg` 0 not used, 1 used."""

    hiRxno: str
    hospRxno: str
    rxStasCodg: str
    rxUsedStasCodg: str


class EPrescriptionRefused(AppError):
    """The centre does not take it; a person has to look."""

    status, code, title = 409, "e_prescription_refused", "医保电子处方未被接受"


class EPrescriptions(Protocol):
    """What the upload needs."""

    @property
    def offered(self) -> bool:
        """Whether this hospital is connected."""

    async def check(self, content: RxContent) -> Checked:
        """Pre-check; the same number with the same content gives the same answer."""

    async def sign(self, hi_rxno: str, trace_code: str, content: bytes, sheet: bytes) -> SignedRx:
        """The insurance's signature over content and PDF sheet, which the doctor and the pharmacists have signed."""

    async def upload(self, hi_rxno: str, trace_code: str, signed: SignedRx) -> Uploaded:
        """Into circulation."""

    async def undo(self, hi_rxno: str, reason: str) -> None:
        """Out of it, unless it was used."""

    async def query(self, hosp_rxno: str) -> RxState | None:
        """What became of it; None when the centre does not know it."""

    async def close(self) -> None:
        """Close the connections."""


class NoEPrescriptions:
    """A hospital that is not connected: the default."""

    offered = False

    async def check(self, content: RxContent) -> Checked:
        """Never."""
        raise _off()

    async def sign(self, hi_rxno: str, trace_code: str, content: bytes, sheet: bytes) -> SignedRx:
        """Never."""
        raise _off()

    async def upload(self, hi_rxno: str, trace_code: str, signed: SignedRx) -> Uploaded:
        """Never."""
        raise _off()

    async def undo(self, hi_rxno: str, reason: str) -> None:
        """Never."""
        raise _off()

    async def query(self, hosp_rxno: str) -> RxState | None:
        """Never."""
        raise _off()

    async def close(self) -> None:
        """Nothing is open."""


def _off() -> Conflict:
    return Conflict("本院未接入医保电子处方中心", code="e_prescription_not_offered")


@dataclass(frozen=True)
class Seal:
    """Encrypts and signs an envelope: what of it is known, and what is not, is in docs/decisions/0041.

    SM4 in ECB with PKCS#7 under a key that is made of our id and our secret; SM3 with the secret stands where a real centre
    wants SM2.
    """

    app_id: str
    secret: str = field(repr=False)
    kind = "SM3"

    def sealed(self, data: bytes) -> str:
        """Upper-case hex of the cipher text."""
        padder = PKCS7(128).padder()
        engine = self._cipher().encryptor()
        return (engine.update(padder.update(data) + padder.finalize()) + engine.finalize()).hex().upper()

    def opened(self, text: str) -> bytes:
        """`ValueError` for what was not made with our key."""
        engine, remove = self._cipher().decryptor(), PKCS7(128).unpadder()
        plain = engine.update(bytes.fromhex(text)) + engine.finalize()
        return remove.update(plain) + remove.finalize()

    def signature(self, fields: dict[str, str]) -> str:
        """Base64 of SM3 over the fields in order, the secret last."""
        text = "&".join(f"{name}={value}" for name, value in sorted(fields.items()) if name != "signData")
        digest = hashes.Hash(hashes.SM3())
        digest.update(f"{text}&key={self.secret}".encode())
        return base64.b64encode(digest.finalize()).decode()

    def _cipher(self) -> Cipher[modes.ECB]:
        return _ecb(self.key)

    @property
    def key(self) -> bytes:
        """The secret encrypted under the first 16 bytes of our id: the first 16 letters of its upper-case hex are the key."""
        padder, engine = PKCS7(128).padder(), _ecb(self.app_id.encode()[:16]).encryptor()
        hidden = engine.update(padder.update(self.secret.encode()) + padder.finalize()) + engine.finalize()
        return hidden.hex().upper()[:16].encode()


def _ecb(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(SM4(key), modes.ECB())  # noqa: S305 -- the interface's own mode


class _Reply(msgspec.Struct):
    success: bool = False
    code: str = ""
    message: str = ""
    encData: str = ""
    signData: str = ""
    timestamp: str = ""


class Centre:
    """Client of the centre over its sealed wire."""

    offered = True

    def __init__(self, base_url: str, seal: Seal, clock: Clock) -> None:
        self.http, self.seal, self.clock = http_client(base_url), seal, clock

    async def check(self, content: RxContent) -> Checked:
        """`uploadChk`."""
        return await self._call("uploadChk", content, Checked)

    async def sign(self, hi_rxno: str, trace_code: str, content: bytes, sheet: bytes) -> SignedRx:
        """`rxFixmedinsSign`."""
        body = {
            "hiRxno": hi_rxno, "rxTraceCode": trace_code, "originalValue": base64.b64encode(content).decode(),
            "originalRxFile": base64.b64encode(sheet).decode(),
        }  # fmt: skip
        return await self._call("rxFixmedinsSign", body, SignedRx)

    async def upload(self, hi_rxno: str, trace_code: str, signed: SignedRx) -> Uploaded:
        """`rxFileUpld`."""
        body = {
            "hiRxno": hi_rxno,
            "rxTraceCode": trace_code,
            "rxFile": signed.rxFile,
            "signDigest": signed.signDigest,
        }
        made = await self._call("rxFileUpld", body, Uploaded)
        if made.hiRxno != hi_rxno:
            raise Unavailable(f"{WHO}返回了其他处方", code="wrong_prescription")
        return made

    async def undo(self, hi_rxno: str, reason: str) -> None:
        """`rxUndo`."""
        await self._call("rxUndo", {"hiRxno": hi_rxno, "undoRea": reason[:100]}, dict)

    async def query(self, hosp_rxno: str) -> RxState | None:
        """`hospRxDetlQuery`."""
        try:
            return await self._call("hospRxDetlQuery", {"hospRxno": hosp_rxno}, RxState)
        except EPrescriptionRefused as refused:
            if refused.detail.endswith("[A0404]"):
                return None
            raise

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def _call(self, function: str, body: Any, kind: type[T]) -> T:
        fields = {
            "appId": self.seal.app_id, "version": VERSION, "timestamp": str(self.clock.timestamp() * 1000), "encType": "SM4",
            "signType": self.seal.kind, "encData": self.seal.sealed(msgspec.json.encode(body)),
        }  # fmt: skip
        raw = msgspec.json.encode(fields | {"signData": self.seal.signature(fields)})
        async with reaching(WHO):
            headers = {"content-type": "application/json", **trace()}
            response = answered(
                await self.http.request("POST", BASE + function, content=raw, headers=headers), WHO
            )
        try:
            reply = msgspec.json.decode(response.content, type=_Reply)
            if not reply.success:
                raise EPrescriptionRefused(f"{WHO}：{reply.message[:80] or '未说明原因'} [{reply.code[:12]}]")
            told = {"encData": reply.encData, "timestamp": reply.timestamp}
            if reply.signData != self.seal.signature(told):
                raise Unavailable(f"{WHO}的应答未通过验签", code="e_prescription_not_signed")
            return msgspec.json.decode(self.seal.opened(reply.encData), type=kind)
        except (msgspec.MsgspecError, ValueError) as error:
            raise Unavailable(f"{WHO}返回的内容无法识别", code="counterpart_unusable") from error
