"""Tokens, codes and phones never reach a log."""

import io
import logging

import pytest

from khata.logs import Scrub, blot


@pytest.mark.parametrize(
    "secret",
    [
        "+919876543210",
        "9876543210",
        "98765 43210",
        "98765-43210",
        "482913",
        "412345678901",
        "asha@example.com",
        "ramesh.k@okhdfcbank",
    ],
)
def test_phones_codes_and_addresses_are_blotted(secret: str) -> None:
    line = blot(f"Sent to {secret}, done")
    assert secret not in line
    assert line == "Sent to […], done"


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        ("/p/q3J0vK1xkS5fT9mZ2wLr8A/checkout/", "q3J0vK1xkS5fT9mZ2wLr8A"),
        ("/hooks/sandbox/q3J0vK1xkS5fT9mZ/", "q3J0vK1xkS5fT9mZ"),
    ],
)
def test_link_tokens_are_blotted(path: str, secret: str) -> None:
    assert secret not in blot(f"Not Found: {path}")


@pytest.mark.parametrize(
    "line", ["entry 412 of khata 17", "took 35 ms", "Not Found: /s/asha-kirana/k/7hq/", "₹1,250.00"]
)
def test_ids_and_amounts_stay_readable(line: str) -> None:
    assert blot(line) == line


def test_arguments_and_tracebacks_are_scrubbed_too() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Scrub())
    logger = logging.Logger("scrubbed")
    logger.addHandler(handler)
    logger.warning("code %s for %s", "482913", "+919876543210")
    try:
        raise ValueError("no such phone: +919876543210")
    except ValueError:
        logger.exception("failed for %(who)s", {"who": "98765 43210"})
    written = stream.getvalue()
    assert "ValueError: no such phone" in written
    for secret in ("482913", "9876543210", "98765 43210"):
        assert secret not in written


def test_every_handler_of_the_settings_scrubs() -> None:
    from django.conf import settings

    from khata import serving

    for config in (settings.LOGGING, serving.logconfig_dict):
        for handler in config["handlers"].values():
            assert "scrub" in handler["filters"]
    assert serving.accesslog is None
