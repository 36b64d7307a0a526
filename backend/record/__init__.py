"""The medical record of a visit, written and signed by its doctor, and the hospital's own history beside it.

Signed content is canonical JSON; versions are never updated in place. Kept 15 years from the last visit.
The history is display only: sealed in Valkey for minutes, never stored (design.md 5.1). Each look is a record view.
Sources: 诊疗办法 Art 17; 医院办法 Art 20, 21.
"""
