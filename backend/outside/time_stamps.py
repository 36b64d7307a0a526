"""RFC 3161 from the client's side: the question, and whether the answer may be believed."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import cms, core, tsp, x509
from cryptography import x509 as certificates
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


class BadTimeStampError(Exception):
    """The answer is no time stamp of what was asked; the words say what is wrong with it."""


@dataclass(frozen=True)
class Question:
    """A digest to be stamped, with a nonce."""

    digest: bytes
    nonce: int

    @classmethod
    def about(cls, data: bytes) -> "Question":
        """For SHA-256 of `data`."""
        return cls(hashlib.sha256(data).digest(), secrets.randbits(63))

    def encoded(self) -> bytes:
        """TimeStampReq, DER; the service's certificate is asked for."""
        imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": self.digest}
        request = tsp.TimeStampReq(
            {"version": 1, "message_imprint": imprint, "nonce": self.nonce, "cert_req": True}
        )
        return bytes(request.dump())


def token_of(reply: bytes, question: Question) -> bytes:
    """The token in a TimeStampResp, DER, when it answers this question. `BadTimeStampError`."""
    try:
        answer = tsp.TimeStampResp.load(reply, strict=True)
        status = answer["status"]["status"].native
        if status not in ("granted", "granted_with_mods"):
            raise BadTimeStampError(f"the service said {status}")
        token = bytes(answer["time_stamp_token"].dump())
        info = _info(token)
    except (ValueError, TypeError, KeyError) as error:
        raise BadTimeStampError("no TimeStampResp") from error
    if info["nonce"].native != question.nonce:
        raise BadTimeStampError("it answers another question")
    return token


def _info(token: bytes) -> Any:
    content = cms.ContentInfo.load(token, strict=True)["content"]["encap_content_info"]["content"]
    return (
        content.parsed if isinstance(content, core.ParsableOctetString) else tsp.TSTInfo.load(content.native)
    )


def verified(token: bytes, data: bytes, root: bytes) -> datetime:
    """When `data` was stamped; the service's certificate is in the token and issued by `root` (DER). `BadTimeStampError`."""
    try:
        signed = cms.ContentInfo.load(token, strict=True)["content"]
        info = _info(token)
        return _verified(signed, info, data, certificates.load_der_x509_certificate(root))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise BadTimeStampError("it cannot be read") from error
    except InvalidSignature as error:
        raise BadTimeStampError("a signature in it is wrong") from error


def _verified(signed: Any, info: Any, data: bytes, root: certificates.Certificate) -> datetime:
    imprint = info["message_imprint"]
    if imprint["hash_algorithm"]["algorithm"].native != "sha256":
        raise BadTimeStampError("it is not over SHA-256")
    if imprint["hashed_message"].native != hashlib.sha256(data).digest():
        raise BadTimeStampError("it is of something else")
    (signer,) = signed["signer_infos"]
    (certificate,) = (one.chosen for one in signed["certificates"])
    if not isinstance(certificate, x509.Certificate):
        raise BadTimeStampError("there is no certificate in it")
    attributes = {one["type"].native: one["values"][0] for one in signer["signed_attrs"]}
    content = signed["encap_content_info"]["content"].contents
    if attributes["message_digest"].native != hashlib.sha256(content).digest():
        raise BadTimeStampError("its attributes belong to another token")
    ours = attributes["signing_certificate_v2"]["certs"][0]["cert_hash"].native
    if ours != hashlib.sha256(certificate.dump()).digest():
        raise BadTimeStampError("it names another certificate")
    parsed = certificates.load_der_x509_certificate(certificate.dump())
    parsed.verify_directly_issued_by(root)
    usage = parsed.extensions.get_extension_for_class(certificates.ExtendedKeyUsage)
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise BadTimeStampError("its certificate is not for time stamps alone")
    key = parsed.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise BadTimeStampError("a key over an elliptic curve is needed")
    key.verify(signer["signature"].native, signer["signed_attrs"].untag().dump(), ec.ECDSA(hashes.SHA256()))
    at = info["gen_time"].native
    assert isinstance(at, datetime)
    if not parsed.not_valid_before_utc <= at <= parsed.not_valid_after_utc:
        raise BadTimeStampError("its certificate was not valid at that time")
    return at
