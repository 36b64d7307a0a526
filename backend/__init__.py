"""The internet hospital itself: API, worker and media process over one database.

One folder per business noun, the same file names in each: `states rules model service queries tasks wire routes pages`.
"""
