"""`python -m tools.chromium`: print the path of a Chromium for browser tests, installing Debian's where that may be done.

A Chinese font belongs to it: without one every screenshot shows empty boxes.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = (
    # The shell draws without a desktop's half: the same pages cost it 10 CPU-seconds instead of 27.
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)
APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
PACKAGES = ("chromium-headless-shell", "fonts-noto-cjk")


def find() -> str | None:
    """The browser named by CHROMIUM, one on the path, or an application of macOS."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    found = (shutil.which(name) for name in NAMES)
    return next(
        (path for path in found if path), next((app for app in APPLICATIONS if Path(app).exists()), None)
    )


def has_chinese_font() -> bool:
    """Whether fontconfig knows a font with Chinese; true where there is no fontconfig to ask (macOS)."""
    asker = shutil.which("fc-list")
    if asker is None:
        return sys.platform == "darwin"
    answer = subprocess.run([asker, ":lang=zh", "family"], capture_output=True, check=False)
    return bool(answer.stdout.strip())


def missing() -> list[str]:
    """Debian's names of what is not there."""
    return [
        package for package, there in zip(PACKAGES, (find(), has_chinese_font()), strict=True) if not there
    ]


def may_install() -> bool:
    """Root on Debian or its kin."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: list[str]) -> None:
    """From Debian; what apt says is shown when it fails."""
    sys.stderr.write(f"installing {' '.join(packages)} from Debian\n")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install", "--yes", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.stderr.write(done.stderr[-2000:])
            return


def main() -> None:
    """Print the path, or say in one line what to install and end with status 1."""
    absent = missing()
    if absent and may_install():
        install(absent)
        if find() is None:
            install(["chromium"])
        absent = missing()
    if absent:
        sys.stderr.write(
            f"browser tests need: {' '.join(absent)} (Debian: apt-get install {' '.join(absent)})\n"
        )
        raise SystemExit(1)
    print(find())


if __name__ == "__main__":
    main()
