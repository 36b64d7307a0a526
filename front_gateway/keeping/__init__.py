"""Cloud → the hospital's own store: sealed copies of records, sheets and recordings, as opaque bytes (docs/decisions/0092).

The cloud may add and read, never remove, replace or list: `PUT`, `HEAD` and `GET` of `/kept/{folder}/{key…}` and nothing else. The
store's key is here and not in the cloud; the key that opens what is stored is neither here nor in the store.
"""
