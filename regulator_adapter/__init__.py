"""Reports to supervision platforms: receives events, maps them to a platform's records, signs, encrypts, submits, reconciles.

Invariants: an event is stored once, by `event_id`; every event is routed to exactly one profile; a record is written down
as `submitted` before the first byte leaves; what is not accepted stays visible until a person has dealt with it.
"""
