"""Every outward call of the backend, one module per counterpart. Nothing here knows a row or a session."""
