"""A text-message company that does not exist: it takes messages by registered templates and says what became of them.

A stand-in, and marked as one on its page: no phone in the world gets anything from it. Wire: docs/counterparts.md.
"""
