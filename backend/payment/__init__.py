"""Money in and money back. Knows subjects by (kind, id), never by class; knows WeChat Pay only through `tasks`.

A payment is made of tenders and fee lines; balances are sums over append-only money events. A callback is a hint: the
provider's answer to our query decides. Amounts are fen. Sources: facts of WeChat Pay v3; practice.md 17.
"""
