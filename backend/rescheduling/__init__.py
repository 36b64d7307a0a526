"""Stopping and moving what patients have booked (停诊、改约): who is affected is shown first, then everybody is told.

A stop closes the slots and gives every patient the whole fee back by the rule `doctor_cancelled` (practice.md 17). A move
takes a place elsewhere for each of them at once; she accepts it, or takes the money, and silence until `answer_by` is the
money. A moved appointment keeps the day it was booked on: eligibility is not asked again (practice.md 5).

The decision is one transaction: slots are closed and places elsewhere taken while they are locked. Each patient is then a
row of her own (`Relocation`) that a job carries out, so that a crash in the middle loses nobody and tells nobody twice.
"""
