"""What the CA does: issue, check PINs, sign, revoke. No HTTP here."""

import base64
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding

from simulators.ca import certificates, revocations, sm2
from simulators.ca.authorities import Authorities, certificate_pem, key_pem, load_certificate, load_key
from simulators.ca.holders import Holder
from simulators.ca.store import Issued, Signature, Store
from simulators.server import Clock

PIN_TRIES = 5
HOLDER_VALID = timedelta(days=730)


class Status(StrEnum):
    VALID = "valid"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Refused(Exception):
    """The CA does not do it; `code` as on the wire, `left` tries of a PIN."""

    def __init__(self, code: str, status: int = 403, left: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.left = left


class Ca:
    def __init__(
        self,
        holders: dict[str, Holder],
        authorities: Authorities,
        sm2_authorities: sm2.Authorities,
        store: Store,
        clock: Clock,
        public_url: str,
    ) -> None:
        self.authorities = authorities
        self.sm2_authorities = sm2_authorities
        self._holders = holders
        self._store = store
        self._clock = clock
        self._public_url = public_url
        # A world made anew gives an old id to another person.
        store.issue([self._new(one) for one in holders.values() if not self._is_issued(one)])

    def holder(self, holder: str) -> tuple[Holder, Issued, Status]:
        """Raises Refused(NOT_FOUND)."""
        known, issued = self._holders.get(holder), self._store.issued(holder)
        if known is None or issued is None:
            raise Refused("NOT_FOUND", 404)
        return known, issued, self._status(issued)

    def open_session(self, holder: str, pin: str, seconds: int) -> tuple[str, datetime]:
        """The session's secret and its end. Raises Refused."""
        known, issued, status = self.holder(holder)
        if issued.wrong_pins >= PIN_TRIES:
            raise Refused("PIN_LOCKED")
        if not hmac.compare_digest(pin.encode(), known.pin.encode()):
            self._store.set_wrong_pins(holder, issued.wrong_pins + 1)
            left = PIN_TRIES - issued.wrong_pins - 1
            raise Refused("WRONG_PIN", left=left) if left else Refused("PIN_LOCKED")
        self._store.set_wrong_pins(holder, 0)
        _require_valid(status)
        token = secrets.token_urlsafe(24)
        expires_at = self._clock.now() + timedelta(seconds=seconds)
        self._store.open_session(token, holder, expires_at.timestamp())
        return token, expires_at

    def in_session(self, token: str) -> tuple[Issued, datetime]:
        """With which certificate this session signs, and its end. Raises Refused."""
        session = self._store.session(token)
        if session is None or session.ended or session.expires_at <= self._clock.timestamp():
            raise Refused("NO_SESSION")
        _, issued, status = self.holder(session.holder)
        _require_valid(status)
        return issued, datetime.fromtimestamp(session.expires_at, UTC)

    def end_session(self, token: str) -> None:
        if not self._store.end_session(token):
            raise Refused("NOT_FOUND", 404)

    def sm2_of(self, issued: Issued) -> tuple[sm2.Key, bytes]:
        """Key and certificate (DER) over SM2, made when they are first asked for, and anew beside each new certificate."""
        known = self._store.sm2(issued.holder)
        if known is not None and known[0] == issued.serial:
            return sm2.load_key(known[1]), known[2]
        key = sm2.new_key()
        der = load_certificate(issued.certificate_pem.encode()).public_bytes(Encoding.DER)
        made = sm2.of_sister(der, key, self.sm2_authorities.issuing)
        self._store.keep_sm2(issued.holder, issued.serial, sm2.stored(key), made)
        return key, made

    def sign(
        self, request_id: str, token: str, digest: str, *, over_sm2: bool = False, wrongly: bool = False
    ) -> Signature:
        """The signature over `digest` (hex of a SHA-256, or of what SM2 signs: SM3 of Z and the message); the one given before when `request_id` was seen. Raises Refused."""
        session = self._store.session(token)
        if session is None:
            raise Refused("NO_SESSION")
        if (given := self._store.signature(request_id)) is not None:
            # A repeated request gets its answer even when the session has ended in between: it was signed then.
            if (given.holder, given.digest) != (session.holder, digest):
                raise Refused("REQUEST_ID_USED", 409)
            return given
        if session.ended or session.expires_at <= self._clock.timestamp():
            raise Refused("NO_SESSION")
        _, issued, status = self.holder(session.holder)
        _require_valid(status)
        data = secrets.token_bytes(32) if wrongly else bytes.fromhex(digest)
        certificate = issued.certificate_pem
        if over_sm2:
            sm2_key, der = self.sm2_of(issued)
            signature, certificate = sm2_key.sign_digest(data), sm2.pem(der)
        else:
            signature = load_key(issued.key_pem).sign(data, ec.ECDSA(Prehashed(hashes.SHA256())))
        made = Signature(
            request_id=request_id,
            holder=session.holder,
            digest=digest,
            signature=base64.b64encode(signature).decode(),
            certificate_pem=certificate,
            signed_at=self._clock.local().isoformat(timespec="milliseconds"),
        )
        if not wrongly:
            self._store.keep_signature(made)
        return made

    def revocation_list(self) -> bytes:
        """Of the holders' certificates: DER, fresh."""
        return revocations.of(self.authorities.issuing, self._store.revoked(), self._clock.now())

    def sm2_revocation_list(self, *, of_authorities: bool) -> bytes:
        """The same two over SM2."""
        signer = self.sm2_authorities.root if of_authorities else self.sm2_authorities.issuing
        return sm2.revocation_list(signer, [] if of_authorities else self._store.revoked(), self._clock.now())

    def authority_revocation_list(self) -> bytes:
        """Of the issuing authority and the time-stamp service, by the root: DER, fresh; nothing was ever revoked."""
        return revocations.of(self.authorities.root, [], self._clock.now())

    def revoke(self, holder: str) -> None:
        _, issued, _ = self.holder(holder)
        self._store.revoke(issued.serial, self._clock.timestamp())

    def expire(self, holder: str) -> None:
        """The holder's certificate becomes one over the same key that ended a minute ago."""
        known, issued, _ = self.holder(holder)
        end = self._clock.now() - timedelta(minutes=1)
        period = certificates.Period(end - HOLDER_VALID, end)
        self._store.issue([self._certified(known, load_key(issued.key_pem), period)])

    def renew(self, holder: str) -> None:
        """A new key and certificate."""
        known, _, _ = self.holder(holder)
        self._store.issue([self._new(known)])

    def unlock(self, holder: str) -> None:
        self.holder(holder)
        self._store.set_wrong_pins(holder, 0)

    def _status(self, issued: Issued) -> Status:
        if self._store.is_revoked(issued.serial):
            return Status.REVOKED
        return Status.EXPIRED if issued.not_after <= self._clock.timestamp() else Status.VALID

    def _is_issued(self, holder: Holder) -> bool:
        issued = self._store.issued(holder.holder)
        if issued is None:
            return False
        return certificates.belongs_to(load_certificate(issued.certificate_pem.encode()), holder)

    def _new(self, holder: Holder) -> Issued:
        period = certificates.from_now(self._clock.now(), HOLDER_VALID)
        return self._certified(holder, certificates.new_key(), period)

    def _certified(
        self, holder: Holder, key: ec.EllipticCurvePrivateKey, period: certificates.Period
    ) -> Issued:
        made = certificates.of_holder(holder, key, self.authorities.issuing, period, self._public_url)
        return Issued(
            holder=holder.holder,
            key_pem=key_pem(key),
            certificate_pem=certificate_pem(made),
            serial=serial_text(made.serial_number),
            not_after=made.not_valid_after_utc.timestamp(),
        )


def _require_valid(status: Status) -> None:
    if status is not Status.VALID:
        raise Refused(f"CERTIFICATE_{status.name}")


def serial_text(number: int) -> str:
    """Upper-case hex of whole bytes, as openssl prints it."""
    return number.to_bytes((number.bit_length() + 7) // 8).hex().upper()
