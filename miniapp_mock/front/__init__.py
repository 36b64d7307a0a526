"""WeChat-style pages for patients and doctors: a client of the backend's public API like any other.

Nothing is kept here. A cookie carries the backend's token (`cookies`), a token made from cookies keeps other people's pages out
(`guard`), `backend_client` asks the API, `screen` makes a page of the answer, `refusals` says in words what was refused,
`policy` tells the browser what a page may do. `pages/` has one module per thing a user comes for, `pages/talk.py` what both
sides of a visit ask for. `static/js/wxbridge.js` is the only door to WeChat.
"""
