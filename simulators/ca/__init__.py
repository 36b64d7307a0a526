"""An electronic-signature CA: keeps holders' keys, signs digests during a session opened with a PIN, stamps time.

Wire format: docs/counterparts.md; time stamps: RFC 3161. ECDSA P-256 throughout; a real Chinese CA would sign with SM2
behind the same port of the backend. The private keys never leave this process.

Settings: `CA_WORLD` (the file `ca_holders.json`), `CA_DATA` (folder: authorities' keys and certificates, `holders.sqlite3`),
`CA_APP_KEY`, `CA_SECRET`, `CA_PUBLIC_URL` (in the certificates, where their revocation list is; default: own address).
Faults: `down` (503), `slow_seconds`, `garbage` (200, not JSON), `tsa_down` (time stamps answer 503), `wrong_signature`
(signs another digest). Test controls: `POST /_test/holders/{holder}/revoke|expire|renew|unlock`.
"""
