"""The daily reconciliation, three ways: our own books, WeChat Pay's bills (trades and movements on the account), the hospital.

A day's bill is there from about ten o'clock of the next day. A job asks for it until it comes, asks the hospital what it
has booked, and compares. What differs is a row that a person closes with a note; a day without differences closes by
itself. What was compared is kept, with its hash. Running again changes nothing but what has changed.
"""
