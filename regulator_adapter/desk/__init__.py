"""The hospital's supervision desk, as the adapter serves it to the backend: what waits, what a person decides, how the way stands."""
