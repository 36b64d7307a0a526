"""From paid to in the patient's hands: order, dispense, hand over or ship, trace.

No drug leaves before the prescription is approved and paid (监管细则 2022). Courier callbacks are hints: the courier's own
answer to our question moves the parcel. Source: 诊疗办法 Art 18 (traceable delivery).
"""
