"""Prescription comment (处方点评): every month some prescriptions of each prescriber, drawn by lot, are looked at again.

The lot is a seed that is kept, so that anybody can draw again and get the same ones. Whoever reviewed a prescription does not
comment on it. And what the reviews themselves were like: how many, how long they lay, what was returned and why.
No figure here joins a drug with a doctor (统方). Source: 医院处方点评管理规范(试行) 2010, items in our own words.
"""
