"""Signature CA: PIN sessions, signatures over digests, time stamps; everything it says is verified before it is believed."""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
from asn1crypto.pem import unarmor

from backend.outside.ca_algorithms import ECDSA, SM2, Algorithm
from backend.outside.ca_trust import UntrustedError, check_authority, check_certificate, check_list
from backend.outside.calling import answered, reaching, trace
from backend.outside.signed import SignedClient
from backend.outside.time_stamps import QUERY, BadTimeStampError, Question, token_of, verified
from foundation.errors import Forbidden, Unavailable
from foundation.logs import log

_UNTRUSTED = "签名服务出示的证书不是由本院信任的根证书签发的"
_REFUSALS = {
    "WRONG_PIN": ("wrong_pin", "签名密码不正确"),
    "PIN_LOCKED": ("pin_locked", "签名密码已锁定，请联系管理员"),
    "NO_SESSION": ("signing_session_ended", "签名会话已结束，请重新开始上班"),
    "CERTIFICATE_REVOKED": ("certificate_revoked", "您的签名证书已被吊销"),
    "CERTIFICATE_EXPIRED": ("certificate_expired", "您的签名证书已过期"),
}


_ROOTS = ("root", "sm2_root")
_PATHS = {
    "root": "root.pem", "issuing": "issuing.pem", "time_stamping": "tsa.pem", "revoked": "crl.der",
    "authorities_revoked": "root-crl.der", "sm2_root": "sm2/root.pem", "sm2_issuing": "sm2/issuing.pem",
    "sm2_revoked": "sm2/crl.der", "sm2_authorities_revoked": "sm2/root-crl.der",
}  # fmt: skip
"""Where the CA shows what, by the names of `Authorities`."""


class SigningSession(msgspec.Struct, frozen=True):
    """An opened PIN session."""

    session: str
    holder: str
    expires_at: datetime


class SignatureValue(msgspec.Struct, frozen=True):
    """A signature as the CA returns it: base64 DER over the digest; `time_stamp` is the token we had made over it, if we got one."""

    request_id: str
    signature: str
    algorithm: str
    certificate_pem: str
    signed_at: datetime
    time_stamp: bytes = b""


class SessionCertificates(msgspec.Struct, frozen=True):
    """With what a session signs."""

    holder: str
    certificate_pem: str
    sm2_certificate_pem: str = ""


class _Refusal(msgspec.Struct, frozen=True):
    code: str
    left: int | None = None


@dataclass(frozen=True)
class Authorities:
    """What a verifier needs besides the signer's certificate, DER: certificates and fresh revocation lists."""

    root: bytes
    issuing: bytes
    time_stamping: bytes
    revoked: bytes
    authorities_revoked: bytes
    sm2_issuing: bytes = b""
    sm2_root: bytes = b""
    sm2_revoked: bytes = b""
    sm2_authorities_revoked: bytes = b""


@dataclass(frozen=True)
class SignatureProvider:
    """Port for signatures; this adapter speaks to the CA of docs/counterparts.md, with the algorithm of the settings.

    `root`, `sm2_root`: files with the CA's roots (PEM). Whatever does not lead to them is refused. Without one the first
    root the CA shows is held to for this process's life, which the settings allow on the machine of the CA alone.
    """

    client: SignedClient
    algorithm: Algorithm = ECDSA
    root: Path | None = None
    sm2_root: Path | None = None
    _known: dict[str, bytes] = field(default_factory=dict, repr=False)

    async def open_session(self, holder: str, pin: str, seconds: int) -> SigningSession:
        """A session for `holder`; `Forbidden` with the tries left when the PIN is wrong."""
        body = {"holder": holder, "pin": pin, "seconds": seconds}
        response = await self.client.call("POST", "/v1/sessions", body)
        if response.status_code != 201:
            raise self._refused(response.content)
        return self.client.read(response, SigningSession)

    async def close_session(self, session: str) -> None:
        """End a session; an unknown one is as good as ended."""
        await self.client.call("DELETE", f"/v1/sessions/{session}")

    async def certificates(self, session: str) -> SessionCertificates:
        """With which certificates this session signs; `Forbidden` when it has ended or the certificate has."""
        response = await self.client.call("GET", f"/v1/sessions/{session}")
        if response.status_code != 200:
            raise self._refused(response.content)
        return self.client.read(response, SessionCertificates)

    async def sign(self, request_id: UUID, session: str, content: bytes) -> SignatureValue:
        """Sign canonical bytes with the algorithm of the settings; only a digest of them goes out."""
        certificate = ""
        if self.algorithm is SM2:
            certificate = (await self.certificates(session)).sm2_certificate_pem
            if not certificate:
                raise Unavailable("签名服务没有国密证书", code="signature_unusable")
        digest = self.algorithm.digest(certificate, content)
        return await self._signed(request_id, session, self.algorithm, digest, content)

    async def sign_document(self, request_id: UUID, session: str, attributes: bytes) -> SignatureValue:
        """Sign the attributes of a PAdES signature: ECDSA whatever the settings say, no reader of PDF knows SM2."""
        return await self._signed(request_id, session, ECDSA, ECDSA.digest("", attributes), attributes)

    async def _signed(
        self, request_id: UUID, session: str, algorithm: Algorithm, digest: bytes, content: bytes
    ) -> SignatureValue:
        body = {
            "request_id": str(request_id),
            "session": session,
            "digest_algorithm": algorithm.digest_name,
            "digest": digest.hex(),
        }
        response = await self.client.call("POST", "/v1/signatures", body)
        if response.status_code not in (200, 201):
            raise self._refused(response.content)
        value = self.client.read(response, SignatureValue)
        if value.algorithm != algorithm.name or not _is_good(algorithm, value, content):
            raise Unavailable("签名服务返回的签名无法验证", code="signature_unusable")
        await self.vouched(value.algorithm, value.certificate_pem)
        return value

    async def vouched(self, algorithm: str, certificate_pem: str, at: datetime | None = None) -> None:
        """`Unavailable` (code `signature_untrusted`) unless the signer's certificate leads to our root and held then (now).

        Whether it was revoked the CA says when it signs, and its lists say for good.
        """
        root, authority = ("sm2_root", "sm2_issuing") if algorithm == SM2.name else ("root", "issuing")
        moment, anchor = at or self.client.clock.now(), await self.trusted_root(root)
        fresh = authority not in self._known
        while True:
            issuing = self._known.get(authority) or await self._shown(_PATHS[authority])
            try:
                check_certificate(_der(certificate_pem.encode()), issuing, anchor, moment)
            except (UntrustedError, ValueError) as error:
                # The CA may have a new issuing authority since we asked.
                self._known.pop(authority, None)
                if fresh:
                    log.error("signature_untrusted", error=str(error))
                    raise Unavailable(_UNTRUSTED, code="signature_untrusted") from error
                fresh = True
            else:
                self._known[authority] = issuing
                return

    async def time_stamp(self, data: bytes) -> bytes:
        """An RFC 3161 token over SHA-256 of `data`, DER, verified."""
        question = Question.about(data)
        reply = await self.time_stamp_reply(question.encoded())
        try:
            token = token_of(reply, question)
            verified(token, data, await self.trusted_root())
        except BadTimeStampError as error:
            raise Unavailable("时间戳服务返回的时间戳无法验证", code="time_stamp_unusable") from error
        return token

    async def time_stamp_reply(self, query: bytes) -> bytes:
        """The service's answer as it is, DER."""
        headers = {"content-type": QUERY, **trace()}
        async with reaching("时间戳服务"):
            response = await self.client.http.post("/v1/timestamps", content=query, headers=headers)
        return answered(response, "时间戳服务").content

    async def authorities(self) -> Authorities:
        """Certificates and fresh revocation lists, each of which leads to our root; `Unavailable` when one does not."""
        kinds = [name for name in _PATHS if self.algorithm is SM2 or not name.startswith("sm2_")]
        roots = {name: await self.trusted_root(name) for name in kinds if name in _ROOTS}
        found = roots | {name: await self._shown(_PATHS[name]) for name in kinds if name not in _ROOTS}
        try:
            self._check(found)
        except UntrustedError as error:
            log.error("signature_untrusted", error=str(error))
            raise Unavailable(_UNTRUSTED, code="signature_untrusted") from error
        return Authorities(**found)

    def _check(self, found: dict[str, bytes]) -> None:
        now = self.client.clock.now()
        check_authority(found["time_stamping"], found["root"], now)
        for kind in ("", "sm2_") if "sm2_root" in found else ("",):
            check_authority(found[f"{kind}issuing"], found[f"{kind}root"], now)
            check_list(found[f"{kind}revoked"], found[f"{kind}issuing"], now)
            check_list(found[f"{kind}authorities_revoked"], found[f"{kind}root"], now)

    async def trusted_root(self, name: str = "root") -> bytes:
        """DER; `name` is root or sm2_root."""
        if name not in self._known:
            file = self.root if name == "root" else self.sm2_root
            self._known[name] = _der(file.read_bytes()) if file else await self._shown(_PATHS[name])
        return self._known[name]

    async def _shown(self, name: str) -> bytes:
        async with reaching("签名服务"):
            response = await self.client.http.get(f"/v1/{name}", headers=trace())
        content = answered(response, "签名服务").content
        try:
            return _der(content) if name.endswith(".pem") else content
        except ValueError as error:
            raise Unavailable("签名服务返回的内容无法识别", code="counterpart_unusable") from error

    def _refused(self, raw: bytes) -> Forbidden | Unavailable:
        try:
            refusal = msgspec.json.decode(raw, type=_Refusal)
        except msgspec.MsgspecError:
            return Unavailable("签名服务返回的内容无法识别", code="counterpart_unusable")
        code, words = _REFUSALS.get(refusal.code, ("signature_refused", "签名服务拒绝了请求"))
        if refusal.left is not None:
            words = f"{words}，还可以尝试 {refusal.left} 次"
        return Forbidden(words, code=code)


def _is_good(algorithm: Algorithm, value: SignatureValue, content: bytes) -> bool:
    try:
        return algorithm.verify(value.certificate_pem, content, base64.b64decode(value.signature))
    except ValueError:
        return False


def _der(pem: bytes) -> bytes:
    return bytes(unarmor(pem)[2])
