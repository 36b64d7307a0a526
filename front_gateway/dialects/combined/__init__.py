"""A hospital that is spoken to in several ways at once: HIS by its main dialect, LIS and RIS by HL7 v2."""
