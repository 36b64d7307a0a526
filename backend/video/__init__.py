"""The video room of a consultation: signalling, a media engine behind a port, recordings kept as evidence.

Invariants
- A participant enters with a single-use ticket; who may have one is decided by the API, never here.
- The engine forwards and records encoded media; it never decodes and never re-encodes.
- What was recorded is never overwritten: one object per participant and connection ("segment"), encrypted, with wall-clock
  start, bytes, SHA-256 and the reason it ended; a segment cut off by a crash is kept up to the cut and says so.
- A room has an owner, a time limit and a close on every exit.

Regulation: 互联网诊疗监管细则(试行) 第十九条 (the whole process leaves a trace), 互联网医院管理办法 附录 (two audio-video systems).
"""
