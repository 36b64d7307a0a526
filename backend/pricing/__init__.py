"""The price list, in versions. Every fee line of every bill names the version it was taken from."""
