"""Writing back to the hospital step by step (design.md 2, row 13): registration and charge at payment, record at
signature, prescription at approval, dispensing at hand-over; a move or a cancellation whenever it comes.

A step refused by the hospital goes to a desk; the visit goes on. Each step waits for the one before it.
"""
