"""Signature CA: PIN sessions, signatures over digests, verification of what it signed."""

import base64
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from backend.outside.signed import SignedClient
from foundation.errors import Forbidden, Unavailable

ALGORITHM = "ecdsa-p256-sha256"
_REFUSALS = {
    "WRONG_PIN": ("wrong_pin", "签名密码不正确"),
    "PIN_LOCKED": ("pin_locked", "签名密码已锁定，请联系管理员"),
    "NO_SESSION": ("signing_session_ended", "签名会话已结束，请重新开始上班"),
    "CERTIFICATE_REVOKED": ("certificate_revoked", "您的签名证书已被吊销"),
    "CERTIFICATE_EXPIRED": ("certificate_expired", "您的签名证书已过期"),
}


class SigningSession(msgspec.Struct, frozen=True):
    """An opened PIN session."""

    session: str
    holder: str
    expires_at: datetime


class SignatureValue(msgspec.Struct, frozen=True):
    """A signature as the CA returns it: base64 DER over the digest."""

    request_id: str
    signature: str
    algorithm: str
    certificate_pem: str
    signed_at: datetime


class _Refusal(msgspec.Struct, frozen=True):
    code: str
    left: int | None = None


@dataclass(frozen=True)
class SignatureProvider:
    """Port for signatures; this adapter speaks to the CA of docs/counterparts.md."""

    client: SignedClient

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

    async def sign(self, request_id: UUID, session: str, digest: bytes) -> SignatureValue:
        """Sign a SHA-256 digest; the answer is verified before it is believed."""
        body = {
            "request_id": str(request_id),
            "session": session,
            "digest_algorithm": "SHA-256",
            "digest": digest.hex(),
        }
        response = await self.client.call("POST", "/v1/signatures", body)
        if response.status_code not in (200, 201):
            raise self._refused(response.content)
        value = self.client.read(response, SignatureValue)
        if not verify(value.certificate_pem, value.signature, digest):
            raise Unavailable("签名服务返回的签名无法验证", code="signature_unusable")
        return value

    def _refused(self, raw: bytes) -> Forbidden | Unavailable:
        try:
            refusal = msgspec.json.decode(raw, type=_Refusal)
        except msgspec.MsgspecError:
            return Unavailable("签名服务返回的内容无法识别", code="counterpart_unusable")
        code, words = _REFUSALS.get(refusal.code, ("signature_refused", "签名服务拒绝了请求"))
        if refusal.left is not None:
            words = f"{words}，还可以尝试 {refusal.left} 次"
        return Forbidden(words, code=code)


def verify(certificate_pem: str, signature: str, digest: bytes) -> bool:
    """Whether `signature` (base64 DER) is the certificate's over the SHA-256 `digest`."""
    key = x509.load_pem_x509_certificate(certificate_pem.encode()).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(base64.b64decode(signature), digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except (InvalidSignature, ValueError):
        return False
    return True
