"""Another hospital's system: a SOAP 1.1 service of one method, asked with an XML string and answering with one.

No vendor's document is public; this is what such a maker would promise, in names of our own:

- `POST /services/InternetHospital`, `text/xml`, SOAPAction `"urn:hospital:exchange/Exchange"`, document/literal:
  `Exchange(requestXml) → ExchangeResult`, both strings of XML (escaped or CDATA). `GET …?wsdl` describes it.
  UTF-8, GBK or GB18030, as the content type says, else the XML declaration. No document types.
- Request: `<Request><Head><TradeCode/><MessageId/><Sender/><SendTime/></Head><Body>…</Body></Request>`.
  Answer: `<Response><Head><ResultCode/><ResultText/><MessageId/></Head><Body><Total/><Rows><Row>…</Row></Rows></Body></Response>`.
- Trades: 1001 patient by card and name, 1002 by number; 2001 visits, 2002 allergies, 2003 drug orders, 2004 reports, each by
  PatientNo and BeginTime; 3001 slots by DeptCode, BeginDate, EndDate; 4001 charges of the internet hospital between BeginTime and
  EndTime; 9001 what was written under an OuterNo. 2001 to 4001 take Page and PageSize (at most 100).
  Writes: 5001 registration (takes SlotNo), 5002 move, 5003 cancellation, 5101 charge, 5102 refund, 5201 record (ends the visit,
  brings its diagnoses), 5202 prescription, 5203 dispensing.
- Results: 0 done, 100 nothing there (不存在), 201 OuterNo exists (已存在), 202 slot taken, 203 visit is over, 300 against a rule,
  301 something unknown, 901 not understood. The text is in Chinese, for whoever has to set it right.
- OuterNo is unique for ever, whatever trade brought it. Writes want the patient's number that counts, known doctors,
  departments, pharmacists, drugs, an amount with two decimals, content in base64 that fits its Sha256.
- Days are `2026-11-23`, moments `2026-11-23 09:00:00` in Shanghai. A merged number is a row with State 0 and MergedInto; what was
  filed under it stays there.

Settings: as `simulators.his` (`HIS_WORLD`, `HIS_DATA`, `HIS_TLS_*`), and `HIS_NAMES`, a JSON object of element names that this
installation calls otherwise.

Faults (`PUT /_test/faults` on the health port): those of `simulators.his`, and `taken` (every slot is somebody's), `fault` (text; a
SOAP fault with status 500), `result_code` (answers with this one), `other_answer` (the answer of another call), `bomb` (`laughs`,
`external`, `deep`: XML that hurts a careless reader), `charset` and `cdata` (of answers).
Also there: `GET /_test/entries?kind=&outer=&key=` what the hospital has of a kind, as its own staff would see it, `GET /_test/canaries`.
"""
