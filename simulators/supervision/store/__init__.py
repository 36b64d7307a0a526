"""What the platform keeps: one sqlite file, one writer (the receiver), readers for the console.

Rows are added by the receiver in one transaction for each request; a killed process loses nothing it answered for.
"""

from simulators.supervision.store.database import Database

__all__ = ["Database"]
