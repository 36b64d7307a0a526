"""The second engine: Janus, Debian's package, as a child process of the media process, behind the same port.

Ways up and ways down are connections of their own here (the `videoroom` plugin): the browser offers what it sends as ever, and
what it sees is offered to it (`Offered`), again whenever the other party comes anew. Janus cannot encrypt what it records, so
it records into memory (a folder of /dev/shm), where `supply.py` reads it twenty times a second, hands it to the same
recorder as the other engine's packets and frees it. When Janus dies, every room is told to move, and it is started again.
"""
