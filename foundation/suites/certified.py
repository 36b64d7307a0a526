"""What OpenSSL's library does not say of certificates over SM2 (GM/T 0015: RFC 5280 with its own curve and algorithm): key and signature."""

from typing import Any

from asn1crypto import keys
from asn1crypto import x509 as der
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from foundation.suites.commercial import COMMERCIAL, CURVE
from foundation.suites.international import INTERNATIONAL
from foundation.suites.points import from_der
from foundation.suites.port import Suite

SM2_WITH_SM3 = "1.2.156.10197.1.501"


def key_of(certificate: x509.Certificate) -> tuple[Suite, bytes]:
    """The suite of a certificate's key and its uncompressed point; `ValueError` for a key of another kind."""
    return _key(_parsed(certificate))


def issued_by(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    """Whether the key of `root` signed it, in the name of `root`; days and purposes are not looked at."""
    one = _parsed(certificate)
    if one["signature_algorithm"]["algorithm"].dotted != SM2_WITH_SM3:
        try:
            certificate.verify_directly_issued_by(root)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False
        return True
    body, above = one["tbs_certificate"], _parsed(root)
    suite, point = _key(above)
    if body["signature"]["algorithm"].dotted != SM2_WITH_SM3 or one.issuer.dump() != above.subject.dump():
        return False
    try:
        signature = from_der(bytes(one["signature_value"].native))
    except (ValueError, OverflowError):
        return False
    return suite is COMMERCIAL and suite.verify(point, body.dump(), signature)


def _parsed(certificate: x509.Certificate) -> Any:
    return der.Certificate.load(certificate.public_bytes(Encoding.DER))


def _key(parsed: Any) -> tuple[Suite, bytes]:
    key = parsed.public_key
    parameters = key["algorithm"]["parameters"]
    if key.algorithm != "ec" or not isinstance(parameters, keys.ECDomainParameters):
        raise ValueError("no key over an elliptic curve")
    suites: dict[str, Suite] = {CURVE: COMMERCIAL, "secp256r1": INTERNATIONAL}
    suite, point = suites.get(str(parameters.native)), bytes(key["public_key"].native)
    if suite is None or len(point) != 65 or point[0] != 4:
        raise ValueError("no uncompressed point of SM2 or P-256")
    return suite, point
