"""Paying by medical insurance: WeChat's public `/v3/med-ins/*`, the page on which a person authorises it, and what stands behind.

`orders`, `refunds`, `paying` and `cashier` follow WeChat's documents (移动医保支付 2.0). `authorise` follows what is publicly known
of Tencent's authorisation page and user query. `bureau` and `split` are invented: the insurance bureau's own interface is
provincial and comes under contract, and no bureau pays by these percentages.
"""
