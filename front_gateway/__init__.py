"""The only door between zones. Whatever crosses a border passes one line of `whitelist.toml`, or is refused and written down.

Inward, `POST /his/v1/{operation}`: typed by `contracts.his`, translated by a dialect to what the hospital speaks, every
entry's subject checked, the reply cut to the fields that the line lets out. Outward, to the city platform: bodies are
encrypted, so caller, address, path, headers and size are judged and the bytes pass unchanged.

A call runs `listener` (TLS, HTTP) → `door` (path, line, rate, audit) → `inward` or `outward` → `upstream` (deadline,
concurrency, breaker, over `line`s). `door` knows no HTTP library; `listener` and `line` parse by httptools (decision 0060).
A process of two: nothing is kept but the audit file, so either may fail.
"""
