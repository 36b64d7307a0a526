"""Who is logged in: patients by (appid, openid), staff by password and TOTP, both with opaque revocable tokens.

An account is not a person: `backend.patient` holds persons and the grants accounts have on them. The id of a doctor's or
pharmacist's staff row is the id of the practitioner.
Sources: 医院办法 Art 16 (staff authentication); 等保三级 two factors for clinical users.
"""
