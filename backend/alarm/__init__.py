"""Alarms: what no retry will put right, one open row for each trouble, until it is over or a person closes it with a note.

Any feature may ring; it names a kind of `rules.KINDS`, the subject it is about, and a sentence for who looks at the desk.
No names of patients, no clinical words.
"""
