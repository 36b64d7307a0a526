"""A doctor's or pharmacist's shift: opened by the CA PIN, four hours at most, thirty minutes of idleness (practice.md 8).

Source: 监管细则 2022 (the doctor is authenticated before receiving patients).
"""
