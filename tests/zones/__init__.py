"""The zones of design.md, section 1, as networks of their own."""
