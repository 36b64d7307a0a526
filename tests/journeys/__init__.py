"""A person gets from A to B and the regulator hears of it: real processes, entered by the front door."""
