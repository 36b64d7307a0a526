"""`make lock`: write locks/*.txt from pyproject.toml with uv, which lives in a throw-away environment.

Only the standard library: it runs before there is a virtual environment. The locks name no package host, so that they
install from whatever index a machine is set up for; hashes say that it is the same file.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

OPTIONS = (
    "--universal", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links",
    "--no-header", "--quiet", "--python-version", "3.11",
)  # fmt: skip


def main() -> None:
    """Compile run first; test is held to run's versions, so that the two can share one environment."""
    root = Path(__file__).resolve().parent.parent
    upgrade = ["--upgrade"] if os.environ.get("UPGRADE") == "1" else []
    with tempfile.TemporaryDirectory() as folder:
        sys.stderr.write("fetching uv\n")
        venv.create(folder, with_pip=True)
        scripts = Path(folder) / "bin"
        subprocess.run([scripts / "pip", "install", "--quiet", "uv"], check=True)
        compile_ = [str(scripts / "uv"), "pip", "compile", "pyproject.toml", *OPTIONS, *upgrade]
        for extra, name, held in (
            ("standalone", "run", ()),
            ("test", "test", ("--constraint", "locks/run.txt")),
        ):
            command = [*compile_, "--extra", extra, *held, "--output-file", f"locks/{name}.txt"]
            subprocess.run(command, check=True, cwd=root)
            sys.stderr.write(f"wrote locks/{name}.txt\n")


if __name__ == "__main__":
    main()
