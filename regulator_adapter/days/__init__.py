"""The days: each calendar day in Shanghai is stated by both sides, compared, and closed only when nothing differs.

A **statement** covers the events of one day up to one number of the feed (`through`), so that what is sealed later is not
silently in it: a late event, or a record that was carried over and went through afterwards, opens a **supplement**, a new
statement of the whole day. A closed statement is never changed.

Whoever closes a day has seen: the outbox of the backend counted as many events as arrived here; no number is missing;
every record has its receipt or was carried over by a named person with a reason; the platform signed the same counts and
heads for every stream; and where a platform cannot be asked, a named person read its counts from the platform's page.
"""
