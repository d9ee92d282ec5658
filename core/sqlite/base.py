"""SQLite, asking for the write lock every millisecond instead of ever more seldom.

SQLite's own busy handler sleeps 1, 2, 5, 10 … up to 100 ms between tries: whoever waited longest
looks least often, and a shopkeeper's save loses against a background writer that comes back after a
short pause. Here BEGIN IMMEDIATE does not wait inside SQLite; it is tried again at an even pace, for
as long as the connection's own time-out allows.
"""

import time
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

RETRY_S = 0.001


class DatabaseWrapper(base.DatabaseWrapper):
    """Waits for the write lock at an even pace; everything else is Django's."""

    def _start_transaction_under_autocommit(self) -> None:
        timeout_s = float(self.settings_dict["OPTIONS"].get("timeout", 5))
        give_up = time.monotonic() + timeout_s
        raw: Any = self.connection
        raw.execute("PRAGMA busy_timeout=0")
        try:
            while True:
                try:
                    super()._start_transaction_under_autocommit()  # type: ignore[misc]
                    return
                except OperationalError as error:
                    if "locked" not in str(error) or time.monotonic() > give_up:
                        raise
                time.sleep(RETRY_S)
        finally:
            raw.execute(f"PRAGMA busy_timeout={int(timeout_s * 1000)}")
