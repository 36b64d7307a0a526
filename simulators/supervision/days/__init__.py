"""The day as docs/profiles/shanghai.md describes it (The day): both sides state it, sign it, and explain where they differ."""
