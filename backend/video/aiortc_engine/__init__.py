"""The default engine: aiortc for ICE, DTLS and SRTP keys, our own path for every media packet.

aiortc decodes what it receives and has no switch for forwarding, so its receiver and sender are replaced by ours
(`receiver.py`, `sender.py`), which keep the interface that its peer connection calls. Media packets do not pass through
its queues and tasks: `connection.py` takes them where ICE hands them over, decrypts, rewrites a few header bytes and sends
them on, in one synchronous step per packet. Everything leaned on that is not public is listed in `names.py`.
"""

from backend.video.aiortc_engine.engine import AiortcEngine

__all__ = ["AiortcEngine"]
