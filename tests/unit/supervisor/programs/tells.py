"""Writes its arguments and environment, and ends with the status that it is given."""

import json
import os
import sys

told = {"arguments": sys.argv[1:], "environment": dict(os.environ), "session": os.getsid(0) == os.getpid()}
sys.stdout.write(json.dumps(told))
raise SystemExit(int(sys.argv[1]))
