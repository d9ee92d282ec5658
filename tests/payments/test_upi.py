"""UPI IDs, links and references, against real ones."""

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.conf import settings

from payments.upi import UtrError, clean_note, clean_utr, handle_is_known, is_vpa, upi_link

DATA = Path(settings.BASE_DIR).parent / "shared" / "data" / "upi"


def fields(link: str) -> list[tuple[str, str]]:
    assert "+" not in link
    return parse_qsl(urlsplit(link).query, keep_blank_values=True)


@pytest.mark.skipif(not DATA.exists(), reason="the folder of shared data is not here")
def test_every_real_upi_id_is_judged_as_its_source_says() -> None:
    rows = json.loads((DATA / "vpas.json").read_text())
    assert {row["vpa"]: is_vpa(row["vpa"]) for row in rows} == {row["vpa"]: row["valid"] for row in rows}


@pytest.mark.skipif(not DATA.exists(), reason="the folder of shared data is not here")
def test_every_listed_handle_is_known() -> None:
    handles = [line.split(",")[0] for line in (DATA / "psp_handles.csv").read_text().splitlines()[1:]]
    assert handles
    assert [handle for handle in handles if not handle_is_known(f"shop@{handle}")] == []


@pytest.mark.parametrize("vpa", ["", "a@bc", "x" * 49 + "@ok", "रमेश@upi", "a b@upi", "ramesh@upi\n", "ab@ok@upi"])
def test_what_only_looks_like_a_upi_id_is_none(vpa: str) -> None:
    assert not is_vpa(vpa)


def test_an_unknown_handle_is_a_upi_id_all_the_same() -> None:
    assert is_vpa("Shop@newbank")
    assert not handle_is_known("Shop@newbank")
    assert handle_is_known("Shop@OkSBI")


def test_a_link_carries_exactly_these_fields() -> None:
    link = upi_link(pa="Shop@okSBI", pn="Sharma Kirana", amount_paise=12_450_00, note="Khata K7Q2X")
    assert link == "upi://pay?pa=shop@oksbi&pn=Sharma%20Kirana&am=12450.00&cu=INR&tn=Khata%20K7Q2X"


@pytest.mark.parametrize("amount", [None, 0, -5_00])
def test_no_amount_is_better_than_zero(amount: int | None) -> None:
    link = upi_link(pa="shop@oksbi", pn="Shop", amount_paise=amount, note="")
    assert [name for name, _ in fields(link)] == ["pa", "pn", "cu"]


def test_a_reference_is_there_only_when_given() -> None:
    assert ("tr", "AB12") in fields(upi_link(pa="shop@oksbi", pn="S", amount_paise=1, note="", ref="AB12"))
    with pytest.raises(ValueError, match="4-35"):
        upi_link(pa="shop@oksbi", pn="S", amount_paise=1, note="", ref="a&am=1")


@pytest.mark.parametrize(
    "name", ["Asha&am=1", "Asha#am=1", "Asha%26am=1", "a+b", "\r\nAsha", "<script>", "आशा & सन्स"]
)
def test_no_name_or_note_forges_a_parameter(name: str) -> None:
    link = upi_link(pa="shop@oksbi", pn=name, amount_paise=700_00, note=name)
    assert link.isascii()
    assert [field for field, _ in fields(link)] == ["pa", "pn", "am", "cu", "tn"]
    assert dict(fields(link))["am"] == "700.00"


def test_a_note_keeps_only_what_banks_carry_and_at_most_forty() -> None:
    assert clean_note("चावल #5 = K7Q2X; ok?") == "cavl 5 K7Q2X ok"
    assert len(clean_note("word " * 30)) <= 40


def test_a_payee_without_a_upi_id_gets_no_link() -> None:
    with pytest.raises(ValueError, match="UPI ID"):
        upi_link(pa="ramesh@gmail.com", pn="R", amount_paise=1, note="")


@pytest.mark.parametrize(
    "text",
    ["412355678812", "4123 5567 8812", "4123-5567-8812", "0000412355678812", "४१२३५५६७८८१२", " 412355678812\n"],
)
def test_a_reference_is_read_as_people_and_banks_write_it(text: str) -> None:
    assert clean_utr(text) == "412355678812"
    assert clean_utr(f"\ufeff{text}\u200b") == "412355678812", "pasted with invisible marks"


@pytest.mark.parametrize(
    "text", ["", "41235567881", "4123556788123", "1111412355678812", "41235567881x", "0" * 12]
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(UtrError):
        clean_utr(text)
