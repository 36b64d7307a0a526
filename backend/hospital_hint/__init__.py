"""What the hospital's systems said by themselves: that something is new about somebody, never what (docs/hl7v2.md).

A hint is a row with a unique key. A result or an order's progress makes the display cache forget and tells the doctor of a visit
that is open; a changed or merged patient makes us ask the hospital for her number anew. What is new is asked for as always.
"""
