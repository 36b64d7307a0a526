"""May this person be seen again online for this diagnosis? Decided from the hospital's own records, with the evidence kept.

Three outcomes (practice.md 4): eligible, doctor decides, refused. Sources: 诊疗办法 Art 16, 18; 医院办法 Art 20 (same disease
clearly diagnosed); the window of one month is the hospital's own rule (seeds 003, 3.2.2), not law, and therefore data.

`data/*.toml` are the versions of the rule, `rulefile` says what one may hold, `rulebook` indexes it. `reading` turns what the hospital
answered into facts without a word of it, `rules` decides, `explaining` decides again from what was kept. docs/eligibility.md has it all.
"""
