"""Recording: encoded packets in, encrypted Matroska segments out; the same for every engine, nothing decoded.

`recorder.py` is the event loop's side of one connection, `segments.py` the writer thread's. An engine hands over packets with
unwrapped numbers (and, where it sees them, the sender's reports) and is told what was opened, closed or went wrong.
"""
