"""What doctor and patient say to each other: ordered, kept, exactly once after a reconnect (practice.md 9; 3 years kept).

Program messages are labelled as such and can sign nothing (监管细则 2022).
"""
