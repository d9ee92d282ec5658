"""A limit on everything, in one place, so that no input is unbounded.

``within_rate`` is the one rate limiter of our own pages (allauth brings its own for sign-in);
it counts in the shared cache, so that it holds across processes.
"""

import hashlib

from django.core.cache import cache

from core import clock

# One entry: ₹100 crore. A balance stays far inside a signed 64-bit integer at 10 million entries.
MAX_AMOUNT_PAISE = 100_00_00_000_00
MAX_EXPRESSION_CHARS = 120
MAX_NAME_CHARS = 120
MAX_EMAIL_CHARS = 120  # what a message's recipient holds
MAX_NOTE_CHARS = 500
MAX_QUICK_CHARS = 300
MAX_KEY_CHARS = 80
MAX_CREDIT_DAYS = 730
MAX_WEBHOOK_BYTES = 256 * 1024
MAX_IMPORT_BYTES = 64 * 1024 * 1024
MAX_IMPORT_ROWS = 500_000
PAGE_ROWS = 50


def within_rate(scope: str, who: str, *, limit: int, per_s: int) -> bool:
    """Count one call of ``scope`` by ``who``; False once there were ``limit`` in this window.

    Fixed windows of ``per_s`` seconds. ``who`` is hashed: a cache is no place for phones and
    addresses. A window has ``limit`` slots and a call takes one with ``cache.add``, which is atomic
    on every shared cache; ``incr`` is not on the database cache, and a burst would get through.
    """
    window = int(clock.now().timestamp()) // per_s
    digest = hashlib.sha256(who.encode()).hexdigest()[:24]
    key = f"rate:{scope}:{window}:{digest}"
    slot = cache.get(key, 0)  # only a hint where to look next
    while slot < limit:
        slot += 1
        if cache.add(f"{key}:{slot}", 1, timeout=per_s * 2):
            cache.set(key, slot, timeout=per_s * 2)
            return True
    return False
