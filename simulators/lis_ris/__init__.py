"""Laboratory (LIS) and imaging (RIS) behind one interface engine: HL7 2.4 over MLLP, one port; MSH-5 says which of the two is meant.

What its maker promises:

- `QRY^R02` (QRD-8 the numbers of a patient's record, repeated; QRD-10 `LAB` or `RAD`; QRF-2 from when) is answered by `ORF^R04`:
  a PID for each number that has results, then OBR with its OBX. Pages of QRD-7 results; DSC-1 is where the next one begins.
  A number that nobody has: `AE` with error 204.
- `ORM^O01` (`NW`, `CA`) is answered by `ORR^O02` with our number in ORC-3. The same MSH-10 again: the same answer, nothing done.
  A cancelled order cannot be cancelled again, one that was begun not at all (`UC`).
- It sends `ORU^R01`, `ADT^A08`, `ADT^A40` and `ORM^O01` (status) when a tester says so: `POST /_test/push`.
- Letters: UTF-8, named in MSH-18; what comes in is read as its MSH-18 says.

Settings: `LISRIS_WORLD` (folder of the generated world), `LISRIS_DATA`, `LISRIS_SEND_TO` (`host:port`, comma separated: where
pushed messages go, the first that takes them). `PORT` is MLLP, `HEALTH_PORT` health and test controls.

Faults (`PUT /_test/faults`): `down` hangs up at once, `slow_seconds`, `closes` after each answer, `hangs_up` instead of an answer,
`garbage`, `split` (byte by byte), `twice` (the same answer two times), `wrong_patient`, `wrong_control_id`, `gb18030`, `no_charset`
(MSH-18 empty), `refuse` (words: AE to every order), `only` (`LIS` or `RIS`: the others are off for the other).
Also there: `GET /_test/orders`, `PUT /_test/reports` (a result of somebody, planted), `POST /_test/push`.
"""
