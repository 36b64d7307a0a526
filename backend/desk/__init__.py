"""What the desks of the staff share: session cookie, CSRF, the frame of every page, static files, live refresh.

A feature declares its desk in `pages.py` beside its JSON routes: a `Page` shows something, an `Action` is an endpoint of
the JSON API behind a form. So every action of a desk has a JSON route by construction, with the same roles, the same
checks and the same audit lines, and the journey client can play any role without a browser.
"""
