"""SOAP 1.1 with one XML string in and one out, as Chinese hospital systems are usually asked (`docs/hospital_soap.md`).

No vendor's interface document is public; every hospital has its own names. So this package knows the *shape* only (one
method, a code for each interface, rows that come back), and a profile (`hospital_profile`, default `soap.toml`) knows the words.
`trees` reads and makes XML, `envelope` is the SOAP around it, `client` asks, `rows` reads one row by the profile's
words; `patients`, `visits`, `history`, `schedules`, `charges` read, `write_back` writes, `dialect` is the table.
"""
