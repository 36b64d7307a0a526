"""A tester's page."""
