"""A human's screens in Chromium, with fake microphone and camera."""
