"""WeChat's side of the wire, for machines that may not talk to WeChat.

`open`: api.weixin.qq.com (login codes, tokens, messages, links) and the web authorisation of open.weixin.qq.com.
`pay`: api.mch.weixin.qq.com, Pay v3 JSAPI for one merchant: orders, refunds, notifications, bills, certificates.
`phone`: what the WeChat app does for its owner, as a JSON API and as pages; no money ever moves.
`console`: a tester's page: what happened, and switches that break things.

Written from WeChat's public documents. It imports nothing of the processes that it tests: shared code would let
both sides misread a document alike.
"""
