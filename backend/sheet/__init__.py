"""Sheets of paper that are files: a prescription or a record as PDF, signed in PAdES by those who signed its content.

What counts is the canonical JSON, signed the moment a person presses the button; the sheet shows it to people. It is made
by a job right after, in the CA session of the same person's shift: rendered by typst with the JSON attached, signed by the
doctor, then by the pharmacist as an incremental update, which takes in the revocation lists (PAdES
B-LT). Stored sealed. `backend/sheet/verify_sheet.py` verifies it with no network and none of our code.
Sources: 处方管理办法 附件 1 (layout); 电子签名法 Art 13; ETSI EN 319 142-1.
"""
