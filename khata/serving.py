"""How gunicorn serves Khata (``gunicorn --config python:khata.serving khata.wsgi``).

Sync workers: a killed one is replaced at once, and on SQLite threads had the worst tails. No access
log: paths hold pay-link tokens. What gunicorn itself has to say is scrubbed like every other log.
"""

import os
from pathlib import Path

_host = os.environ.get("KHATA_HOST", "127.0.0.1")
bind = f"{f'[{_host}]' if ':' in _host else _host}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "3"))
worker_class = "sync"
preload_app = True  # Django is imported once, then forked: quicker to start, less memory
timeout = 30  # seconds for one request, its upload included
graceful_timeout = 10
max_requests = 0
limit_request_line = 4094
limit_request_fields = 60
accesslog = None
proc_name = "khata"
_memory = Path("/dev/shm")  # noqa: S108  (only gunicorn's own heartbeat files)
if _memory.is_dir():
    worker_tmp_dir = str(_memory)  # the heartbeat must not wait for a slow disk
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"scrub": {"()": "khata.logs.Scrub"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["scrub"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "gunicorn.error": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "gunicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
    },
}
