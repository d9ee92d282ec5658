"""How the sandbox signs: hex HMAC-SHA256 over the raw bytes, as gateways do it."""

import hashlib
import hmac

SIGNATURE = "X-Sandbox-Signature"
EVENT_ID = "X-Sandbox-Event-Id"


def sign(secret: str, raw_body: bytes) -> str:
    """The value of the signature header."""
    return hmac.new(secret.encode(), raw_body, hashlib.sha256).hexdigest()
