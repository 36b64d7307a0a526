"""May this person be seen again online for this diagnosis? Decided from the hospital's own records, with the evidence kept.

Three outcomes (practice.md 4): eligible, doctor decides, refused. Sources: 诊疗办法 Art 16, 18; 医院办法 Art 20 (same disease
clearly diagnosed); the window of one month is the hospital's own rule (seeds 003, 3.2.2), not law, and therefore data.
"""
