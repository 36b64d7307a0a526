"""A courier company: takes parcels, moves them, tells the sender about every step by signed callbacks.

Wire format: docs/counterparts.md. A person moves parcels on the page `/operator`, as with a courier's hand-held.

Settings: `COURIER_DATA` (folder), `COURIER_APP_KEY`, `COURIER_SECRET` (who may call us), `COURIER_CALLBACK_KEY`,
`COURIER_CALLBACK_SECRET` (how our callbacks are signed), `COURIER_AUTO_SECONDS` (every parcel takes a step each so many
seconds by itself; 0, the default, leaves it to the operator).
Faults: `down` (503, and no callbacks meanwhile), `slow_seconds`, `lose_callbacks`, `double_callbacks`, `delay_seconds`,
`wrong_signature`, `reorder` (a callback waits until the parcel's next one has gone out).
"""
