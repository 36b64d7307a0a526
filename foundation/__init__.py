"""What every process needs and no hospital word.

`foundation` itself is free of databases, so that the gateway and the front stay small;
`foundation.db` is for the processes that own a database, `foundation.web` for those that speak HTTP.
"""
