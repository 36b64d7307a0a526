"""Paying by medical insurance: she authorises, sees who pays what, agrees, pays once from both purses; the query decides.

Insurance is offered, never assumed; and when it fails, paying everything herself is offered, never assumed: each way is a
choice that is written down with what she was shown.
"""
