"""What crosses a process boundary of ours, as frozen types and nothing else.

Promise: fields are added, never renamed or re-used; an event carries a version and a snapshot, not an id to look up later;
event type strings are literals. The JSON Schema in `contracts/schema/` is exported from these structs; a stale export fails a test.
"""
