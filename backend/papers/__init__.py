"""Papers that a patient uploads where the hospital's records do not show her disease: a discharge summary, an outpatient record.

They never make her eligible: a doctor looks at them before she accepts, and a "no" refunds everything (practice.md 4). They are the
patient's own, not the hospital's: pictures made anew by a child process, stored encrypted, shown to the doctor of the visit that
rests on them and to whoever may see the patient's records. What no decision took up within a day is deleted.
"""
