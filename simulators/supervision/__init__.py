"""The city's supervision platform (监管平台): the receiver of the hospitals' records and the supervisor's console.

Two profiles come in over mutual TLS: `tianjin-1.0` (docs/profiles/tianjin-1.0.md) and `shanghai`, our own proposal
(docs/profiles/shanghai.md). The console on the plain port shows what came in, with persons masked.
"""
