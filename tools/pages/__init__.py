"""One module per generated document; each lists what it documents by hand, and a test finds what a list forgot."""
