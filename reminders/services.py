"""The public door of reminders: every write that others may ask for.

What is behind it: ``outbox`` (putting in, deciding), ``sending`` (claim, send, record), ``asking``
(one party, taps, rules), ``runs`` (many at once), ``confirming`` (receipts, entries, alarms).
"""

from reminders.asking import (
    Preview,
    ReminderRefused,
    ask_by_rules,
    log_tap,
    previews,
    queue_link,
    remind,
    save_rule,
    switch_rule,
)
from reminders.confirming import queue_alarms, queue_entry_messages, queue_receipts, queue_reversals
from reminders.outbox import (
    MessageError,
    blank_codes,
    cancel_message,
    confirm_sent,
    queue_code,
    queue_message,
    retry_message,
)
from reminders.runs import RunError, start_run, stop_run, work_open_runs, work_run
from reminders.sending import release_by_hand, release_stuck, send_due

__all__ = [
    "MessageError",
    "Preview",
    "ReminderRefused",
    "RunError",
    "ask_by_rules",
    "blank_codes",
    "cancel_message",
    "confirm_sent",
    "log_tap",
    "previews",
    "queue_alarms",
    "queue_code",
    "queue_entry_messages",
    "queue_link",
    "queue_message",
    "queue_receipts",
    "queue_reversals",
    "release_by_hand",
    "release_stuck",
    "remind",
    "retry_message",
    "save_rule",
    "send_due",
    "start_run",
    "stop_run",
    "switch_rule",
    "work_open_runs",
    "work_run",
]
