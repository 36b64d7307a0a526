"""X.509 certificates of the authorities, the time-stamp service and the holders (RFC 5280, RFC 3161 section 2.3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from simulators.ca.holders import Holder, Kind

COMPANY = "演示电子认证服务有限公司"
YEAR = timedelta(days=365)
DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336


@dataclass(frozen=True)
class Signer:
    """A key with its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True)
class Period:
    start: datetime
    end: datetime


def from_now(now: datetime, length: timedelta) -> Period:
    """Valid from a day ago, so that a verifier whose clock is a little slow accepts it."""
    return Period(now - timedelta(days=1), now + length)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def root(now: datetime) -> Signer:
    key = new_key()
    name = _name("演示 CA 根证书")
    return Signer(key, _authority(name, key, name, key, from_now(now, 20 * YEAR), path_length=None))


def issuing(parent: Signer, now: datetime) -> Signer:
    key = new_key()
    name = _name("演示 CA 签发证书")
    period = from_now(now, 10 * YEAR)
    return Signer(key, _authority(name, key, parent.certificate.subject, parent.key, period, path_length=0))


def time_stamping(parent: Signer, now: datetime) -> Signer:
    """RFC 3161: the key's only purpose is time stamping, and that extension is critical."""
    key = new_key()
    builder = _leaf(_name("演示时间戳服务"), key, parent, from_now(now, 5 * YEAR))
    builder = builder.add_extension(_usage(digital_signature=True, content_commitment=True), critical=True)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    return Signer(key, builder.add_extension(purpose, critical=True).sign(parent.key, hashes.SHA256()))


def of_holder(
    holder: Holder, key: ec.EllipticCurvePrivateKey, parent: Signer, period: Period, public_url: str
) -> x509.Certificate:
    """A signing certificate: subject is the holder's name and id, the organisation is the CA's customer."""
    builder = _leaf(_holder_name(holder), key, parent, period)
    crl = x509.DistributionPoint([_uri(f"{public_url}/v1/crl.der")], None, None, None)
    issuer = x509.AccessDescription(
        AuthorityInformationAccessOID.CA_ISSUERS, _uri(f"{public_url}/v1/issuing.pem")
    )
    builder = (
        builder.add_extension(_usage(digital_signature=True, content_commitment=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([DOCUMENT_SIGNING]), critical=False)
        .add_extension(x509.CRLDistributionPoints([crl]), critical=False)
        .add_extension(x509.AuthorityInformationAccess([issuer]), critical=False)
    )
    if holder.id_number_digest:
        builder = builder.add_extension(x509.SubjectAlternativeName(_person(holder)), critical=False)
    return builder.sign(parent.key, hashes.SHA256())


def belongs_to(certificate: x509.Certificate, holder: Holder) -> bool:
    """Does it name this holder and this person?"""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        found = None
    return certificate.subject == _holder_name(holder) and list(found or ()) == _person(holder)


def _person(holder: Holder) -> list[x509.GeneralName]:
    digest = holder.id_number_digest
    return [_uri(f"urn:id-number-digest:{digest}")] if digest else []


def _holder_name(holder: Holder) -> x509.Name:
    unit = {Kind.DOCTOR: "医师", Kind.PHARMACIST: "药师", Kind.ORGANIZATION: "机构"}[holder.kind]
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.COMMON_NAME, holder.name),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, holder.holder),
        ]
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, COMPANY),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _authority(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    period: Period,
    *,
    path_length: int | None,
) -> x509.Certificate:
    usage = _usage(key_cert_sign=True, crl_sign=True)
    constraints = x509.BasicConstraints(ca=True, path_length=path_length)
    return (
        _builder(name, key, issuer, issuer_key, period)
        .add_extension(constraints, critical=True)
        .add_extension(usage, critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def _leaf(
    name: x509.Name, key: ec.EllipticCurvePrivateKey, parent: Signer, period: Period
) -> x509.CertificateBuilder:
    constraints = x509.BasicConstraints(ca=False, path_length=None)
    builder = _builder(name, key, parent.certificate.subject, parent.key, period)
    return builder.add_extension(constraints, critical=True)


def _builder(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    period: Period,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(period.start)
        .not_valid_after(period.end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )


def _uri(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)


def _usage(**allowed: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})
