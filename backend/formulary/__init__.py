"""The drugs that can be prescribed: facts per drug as data with a source, price, and the catalogue's version.

Every change is an event for the supervisor. The list is imported from `data/formulary.csv` or a hospital's own file.
"""
