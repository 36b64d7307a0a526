"""A real-name service: does this name belong to this identity number?

Wire format: docs/counterparts.md. Real ones (the police's, the telecoms') differ and stand behind the same port of the backend.

Settings: `IDENTITY_WORLD` (the file `identity.json`), `IDENTITY_DATA` (folder of its answers), `IDENTITY_APP_KEY`, `IDENTITY_SECRET`.
Faults: `down` (503), `slow_seconds`, `garbage` (200 with a body that is not JSON).
"""
