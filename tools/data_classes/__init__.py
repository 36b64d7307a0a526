"""Which class of data each place holds that is not a column: `declared.toml`, held to the code by `tests/test_data_classes.py`.

A column says its class where it is declared (`foundation.db.columns.stored`). What is inside a JSON column, an event, a
key of Valkey, a folder of the object store or a line of a log says it in `declared.toml`. What the hospital's own systems
answer has the class `hospital` there, and may stand nowhere but in a sealed key of Valkey that lives for minutes.
"""

from tools.data_classes.declared import Declared, Keys, read
from tools.data_classes.findings import findings

__all__ = ["Declared", "Keys", "findings", "read"]
