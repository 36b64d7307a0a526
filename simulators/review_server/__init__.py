"""An outside review server of another maker: CDS Hooks 2.0, `order-sign`, a few rules of its own from `rules.toml`.

Written from the HL7 page alone; it shares no code with the backend whose client it tests.
"""
