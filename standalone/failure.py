"""What goes wrong when a whole system is run on one machine."""


class StoreError(RuntimeError):
    """A store cannot be used; the message is one line and says what to do where something can be done."""


class StartFailed(RuntimeError):
    """Something of the whole system cannot run; the message says what, in a line or two."""
