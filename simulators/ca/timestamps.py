"""RFC 3161: a time-stamp query in, a time-stamp reply out, both DER."""

import hashlib
import secrets
from datetime import datetime
from typing import Any

from asn1crypto import algos, cms, core, tsp, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from simulators.ca.certificates import Signer

POLICY = "2.25.244373842839414262155377036482037172129"
"""Policy of this demonstration service (an arc under 2.25 belongs to whoever drew the UUID)."""


class _Rejection(core.Sequence):  # type: ignore[misc]
    """A TimeStampResp without a token, which asn1crypto's own class cannot leave out."""

    _fields = [("status", tsp.PKIStatusInfo)]  # noqa: RUF012 - the library's way to declare


class _Rejected(Exception):
    def __init__(self, failure: str, text: str) -> None:
        super().__init__(text)
        self.failure = failure
        self.text = text


def reply(query: bytes, signer: Signer, now: datetime) -> bytes:
    """A TimeStampResp: granted with a token, or rejected with the reason (RFC 3161 section 2.4.2)."""
    try:
        request = _parse(query)
        token = _token(request, signer, now)
    except _Rejected as problem:
        status = {
            "status": "rejection",
            "status_string": [problem.text],
            "fail_info": {problem.failure},
        }
        return _dump(_Rejection({"status": tsp.PKIStatusInfo(status)}))
    granted = tsp.PKIStatusInfo({"status": "granted"})
    return _dump(tsp.TimeStampResp({"status": granted, "time_stamp_token": token}))


def _parse(query: bytes) -> Any:
    try:
        request = tsp.TimeStampReq.load(query, strict=True)
        native = request.native  # reads every field, so that nothing malformed is met later
        imprint = native["message_imprint"]
        algorithm, digest = imprint["hash_algorithm"]["algorithm"], imprint["hashed_message"]
    except (ValueError, TypeError, KeyError):
        raise _Rejected("bad_data_format", "not a time-stamp query") from None
    if native["version"] != "v1":
        raise _Rejected("bad_request", "version 1 is expected")
    if algorithm != "sha256":
        raise _Rejected("bad_alg", "SHA-256 is expected")
    if len(digest) != hashlib.sha256().digest_size:
        raise _Rejected("bad_data_format", "the imprint does not have 32 bytes")
    if native["req_policy"] not in (None, POLICY):
        raise _Rejected("unaccepted_policy", "this policy is not offered")
    if native["extensions"]:
        raise _Rejected("unaccepted_extensions", "extensions are not supported")
    return request


def _token(request: Any, signer: Signer, now: datetime) -> Any:
    info = {
        "version": "v1",
        "policy": POLICY,
        "message_imprint": request["message_imprint"],
        "serial_number": secrets.randbits(63),
        "gen_time": now.replace(microsecond=0),
        "accuracy": {"seconds": 1},
    }
    if request["nonce"].native is not None:
        info["nonce"] = request["nonce"]
    content = tsp.TSTInfo(info)
    certificate = x509.Certificate.load(signer.certificate.public_bytes(Encoding.DER))
    signed = {
        "version": "v3",
        "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
        "encap_content_info": {
            "content_type": "tst_info",
            "content": core.ParsableOctetString(content.dump()),
        },
        "signer_infos": [_signer_info(content.dump(), certificate, signer.key, now)],
    }
    if request["cert_req"].native:
        signed["certificates"] = [certificate]
    return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)})


def _signer_info(content: bytes, certificate: Any, key: ec.EllipticCurvePrivateKey, now: datetime) -> Any:
    sha256 = algos.DigestAlgorithm({"algorithm": "sha256"})
    ours = tsp.ESSCertIDv2(
        {
            "hash_algorithm": sha256,
            "cert_hash": hashlib.sha256(certificate.dump()).digest(),
            "issuer_serial": {
                "issuer": [x509.GeneralName(name="directory_name", value=certificate.issuer)],
                "serial_number": certificate.serial_number,
            },
        }
    )
    attributes = cms.CMSAttributes(
        [
            _attribute("content_type", "tst_info"),
            _attribute("signing_time", cms.Time({"utc_time": core.UTCTime(now.replace(microsecond=0))})),
            _attribute("message_digest", hashlib.sha256(content).digest()),
            _attribute("signing_certificate_v2", tsp.SigningCertificateV2({"certs": [ours]})),
        ]
    )
    identifier = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    return cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier({"issuer_and_serial_number": identifier}),
            "digest_algorithm": sha256,
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            # RFC 5652 section 5.4: what is signed is the SET OF, not its implicitly tagged form.
            "signature": key.sign(attributes.untag().dump(), ec.ECDSA(hashes.SHA256())),
        }
    )


def _attribute(kind: str, value: Any) -> Any:
    return cms.CMSAttribute({"type": kind, "values": [value]})


def _dump(value: Any) -> bytes:
    encoded = value.dump()
    assert isinstance(encoded, bytes)
    return encoded
