"""Booking with help at the counter, for people without a phone (N14, practice.md 1).

A case is one person before one member of staff, and on what authority she is helped: she came herself, called, or sent
somebody with a paper. Everything done for her names the case; the audit trail has the member of staff as actor and the person
as whom it was done for. No money is taken here: the bill is paid from a family member's WeChat by a code.
"""
