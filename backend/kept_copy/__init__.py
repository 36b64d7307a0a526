"""The durable copy is the hospital's: what a visit left is copied into the inner zone, and later dropped here (design.md 5.2).

Records, signed sheets, recordings and what was sent in the conversation. A row is written in the transaction in which the hospital
acknowledges the visit's record or prescription; a job copies the sealed file through the gateway, compares, and reads it back whole
once. Only then, `KEEP_CONTENT_DAYS` later and never under a legal hold, the cloud's content goes; ids, states, digests and signatures
stay. Who opens something that was dropped is shown the hospital's copy, compared with its digest first.
"""
