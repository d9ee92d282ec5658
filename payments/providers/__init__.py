"""Payment providers, a folder each. To add one: its folder, its line below, its ``ProviderKind``."""

from importlib import import_module
from typing import cast

from django.conf import settings

from payments.providers.base import Provider

# Dotted names, loaded when asked for: a provider may talk to the network, and the services that
# find it here must not import that.
PROVIDERS = {
    "sandbox": "payments.providers.sandbox.provider",
}


def get(kind: str) -> Provider:
    """The provider of ``kind``. Raises KeyError where there is none or it is switched off."""
    if kind == "sandbox" and not settings.SANDBOX_GATEWAY:
        raise KeyError(kind)
    return cast(Provider, import_module(PROVIDERS[kind]))


def is_on(kind: str) -> bool:
    """Whether payments may be begun and events taken for ``kind``."""
    return kind in PROVIDERS and (kind != "sandbox" or settings.SANDBOX_GATEWAY)
