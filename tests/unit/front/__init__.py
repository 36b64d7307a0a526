"""The front before a backend that says what a test wants."""
