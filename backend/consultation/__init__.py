"""健康咨询: a question to a doctor and her answer, a visit kind of its own (practice.md 6).

A verified person, a price of its own that may be nothing, no eligibility; neither diagnosis, record nor prescription: they take a
`FollowUp`, a `Consultation` is none, and the database refuses what points at one.
"""
