"""Says that it is there, and stays until it is killed; with `stubborn` SIGTERM does not impress it."""

import signal
import sys

if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.stdout.write("here\n")
sys.stdout.flush()
while True:
    signal.pause()
