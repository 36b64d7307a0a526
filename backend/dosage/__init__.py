"""A calculator for the doctor: kidney function, body surface, a dose by weight. It computes; it fills in and suggests nothing."""
