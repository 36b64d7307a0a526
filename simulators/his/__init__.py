"""The hospital's own systems behind one FHIR R4 server: HIS (registration, visits, charges), LIS and RIS (reports), pharmacy.

What its maker promises in his interface document:

- REST at the root: read, vread, search (GET and `POST _search`), create, update, batch and transaction, `/metadata`.
  JSON only (`application/fhir+json`); every refusal is an OperationOutcome.
- Search parameters by type stand in `/metadata` (and in parameters.py). An unknown one is refused with 400 under
  `Prefer: handling=strict`; otherwise it is ignored and a warning entry (`search.mode` outcome) says so.
  Pages: `_count` (20, at most 200) and the `next` link, which is opaque and lives for ten minutes (410 afterwards).
- Days without a zone are days in Shanghai.
- Create: `If-None-Exist` makes it conditional (one match: 200 with what is there; several: 412). An identifier that exists
  already without it: 409. Update: `If-Match: W/"n"`, 412 when somebody was faster; ids are the server's (PUT never creates).
- What the hospital itself recorded may be read, not changed (403); what was written back may be changed by its writer.
- Write-backs are held to the hospital's rules (rules.py): known and unmerged patient, known drug, references that exist,
  one patient throughout, amounts in CNY; a breach is 422 with one issue for each.
- A ChargeItem that is `planned` keeps its fee from the window until `occurrencePeriod.end`, two hours at most (window.py); 409 when the
  window has it already. `GET ChargeItemDefinition` is the price list, the extension of a Medication its stock in packs.
- Merged patients: the old number is a Patient with `active: false` and `link` replaced-by; visits filed under it stay there.

Systems (systems.py): identity card `urn:oid:2.16.156.10011.1.3` (WS/T 500), number of the record (病历号)
`https://his.nanxiang.example/mrn`, diagnoses `http://hl7.org/fhir/sid/icd-10` with codes of 国家临床版 2.0 such as I10.x00,
departments, practitioners, drugs and allergies as agreed with the internet hospital (`urn:internet-hospital:…`).

Settings: `HIS_WORLD` (folder of the generated world), `HIS_DATA` (folder of its store), `HIS_TLS_CERT`, `HIS_TLS_KEY`, `HIS_TLS_CA`
(mutual TLS; without them loopback only), `HIS_TLS_CLIENTS` (URI names that may come in; all of the authority when empty),
`HIS_BASE_URL` (only if links must name another address than the caller's).

Faults (`PUT /_test/faults` on the health port): `down` 503 to everything, `slow_seconds`, `refuse_writes` (text; 422 to every write),
`lose_write_answers` (does the write, then answers 503), `wrong_patient` (answers with somebody else's resources), `garbage` (200 and no JSON).
Also there: `GET /_test/received` what was written back, `PUT /_test/resources` plants any resource without a rule,
`GET /_test/canaries` the marks in this hospital's free text, `PUT` marks everything it tells about one patient (canaries.py),
`POST /_test/window-charges` a clerk charges a fee.
"""
