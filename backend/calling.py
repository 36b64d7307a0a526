"""Settings of video calls on the API's side: the relay that browsers behind a closed network need, and who may look in."""

from dataclasses import dataclass

from foundation.settings import setting

LONGEST = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Calling:
    """A part of the backend's settings."""

    turn_urls: tuple[str, ...] = setting(
        "TURN servers for browsers, `turn:host:3478?transport=udp,turns:host:443?transport=tcp`", default=()
    )
    turn_secret: str = setting(
        "secret shared with them (coturn: static-auth-secret)", default="", secret=True
    )
    turn_seconds: int = setting("life of a credential for them", default=600)
    video_least_bitrate: int = setting(
        "bit/s that the network must carry each way in the check before a call; under it video is refused and chat "
        "offered; 0: never refused",
        default=300_000,
    )
    probes_per_minute: int = setting("such checks of one account in a minute", default=10)
    look_in_shown: bool = setting("doctor and patient see that a supervisor looks in", default=True)
    look_in_minutes: int = setting("minutes that one permission to look in lasts", default=30)
    supervision_port: int = setting(
        "port on which the API takes supervisors' requests from the gateways (mTLS); 0: none are taken",
        default=0,
    )
    supervision_callers: tuple[str, ...] = setting("URI identities that may call there", default=())

    def calling_problems(self) -> list[str]:
        """What cannot be."""
        problems = []
        if any(not url.startswith(("turn:", "turns:", "stun:")) for url in self.turn_urls):
            problems.append("TURN_URLS is malformed: not turn:, turns: or stun:")
        if self.turn_urls and not self.turn_secret:
            problems.append("TURN_SECRET is missing (TURN_URLS names servers)")
        if not 60 <= self.turn_seconds <= LONGEST:
            problems.append("TURN_SECONDS is malformed: not between 60 and 86400")
        if self.video_least_bitrate < 0:
            problems.append("VIDEO_LEAST_BITRATE is malformed: negative")
        if self.probes_per_minute < 1:
            problems.append("PROBES_PER_MINUTE is malformed: less than 1")
        if not 1 <= self.look_in_minutes <= 480:
            problems.append("LOOK_IN_MINUTES is malformed: not between 1 and 480")
        if self.supervision_port and not self.supervision_callers:
            problems.append("SUPERVISION_CALLERS is missing (SUPERVISION_PORT is set)")
        return problems
