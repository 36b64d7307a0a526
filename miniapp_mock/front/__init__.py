"""WeChat-style pages for patients and doctors: a client of the backend's public API like any other."""
