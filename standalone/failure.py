"""What goes wrong with the embedded stores."""


class StoreError(RuntimeError):
    """A store cannot be used; the message is one line and says what to do where something can be done."""
