"""A national e-prescription centre that does not exist: it checks, signs, takes and undoes prescriptions in sealed envelopes.

A stand-in, marked as one. Wire: docs/counterparts.md. It shares no code with the hospital's side: SM4 and SM3 are done here anew.
Faults: `down`, `slow_seconds`, `garbage`, `lose_answers` (done, answered 503), `refuse` (words), `wrong_signature`, `used` (undo is refused).
"""
