"""The book's screens: what each role sees and can do, with and without JavaScript."""

import datetime as dt

import pytest
import time_machine

from ledger.models import Entry, Khata
from parties.models import Party
from parties.services import archive_party, has_consent
from payments.services import make_link, stop_messages
from shops.models import AuditEvent
from shops.words import sentence
from tests.cast import Cast, client_of, make_khata, post


def _at(cast: Cast, khata: Khata, rest: str = "") -> str:
    return f"/s/{cast.shop.code}/k/{khata.party.code}/{rest}"


def test_home_shows_totals_to_the_owner_and_not_to_the_cashier(cast: Cast):
    make_khata(cast.shop, "Ramesh", opening_paise=1234_00)
    make_khata(cast.shop, "Gupta", opening_paise=-999_00)
    address = f"/s/{cast.shop.code}/"
    assert "₹1,234" in client_of(cast.asha).get(address).text
    assert 'class="card totals"' in client_of(cast.chitra).get(address).text
    assert 'class="card totals"' not in client_of(cast.bilal).get(address).text


def test_chips_filter_the_list(cast: Cast):
    late = make_khata(cast.shop, "Late Lal", credit_days=0)
    post(late, 100_00, occurred_on=cast.shop.today() - dt.timedelta(days=3))
    due = make_khata(cast.shop, "Due Devi", credit_days=3)
    post(due, 100_00, occurred_on=cast.shop.today() - dt.timedelta(days=3))
    over = make_khata(cast.shop, "Over Om", credit_limit_paise=50_00)
    post(over, 100_00)
    make_khata(cast.shop, "Gupta Traders", kind="supplier")
    client = client_of(cast.asha)
    for show, name in (
        ("overdue", "Late Lal"),
        ("due_today", "Due Devi"),
        ("over_limit", "Over Om"),
        ("suppliers", "Gupta Traders"),
    ):
        page = client.get(f"/s/{cast.shop.code}/?show={show}").text
        names = [known for known in ("Late Lal", "Due Devi", "Over Om", "Gupta Traders") if known in page]
        assert names == [name]


def test_a_chip_counts_what_its_list_shows_and_nobody_put_aside(cast: Cast):
    day = cast.shop.today() - dt.timedelta(days=3)
    for name, days in (("Late Lal", 0), ("Due Devi", 3), ("Over Om", 9)):
        for number in range(2):
            khata = make_khata(cast.shop, f"{name} {number}", credit_days=days, credit_limit_paise=50_00)
            post(khata, 100_00, occurred_on=day)
        archive_party(party=khata.party, actor=None)
    client, chips = client_of(cast.asha), {}
    for show in ("due_today", "overdue", "over_limit"):
        context = client.get(f"/s/{cast.shop.code}/?show={show}").context
        chips = context["chips"]
        assert chips[show] == len(context["page"].rows), show
    assert chips == {"due_today": 1, "overdue": 1, "over_limit": 3}


def test_the_list_costs_the_same_number_of_queries_at_ten_and_at_thirty_rows(
    cast: Cast, django_assert_max_num_queries
):
    client = client_of(cast.asha)
    address = f"/s/{cast.shop.code}/"

    def fill(count: int) -> None:
        for number in range(count):
            post(make_khata(cast.shop, f"Party {number}"), 100_00)

    fill(10)
    client.get(address)
    with django_assert_max_num_queries(20) as at_ten:
        client.get(address)
    fill(20)
    with django_assert_max_num_queries(20) as at_thirty:
        client.get(address)
    assert len(at_ten) == len(at_thirty)


def test_home_pages_by_a_cursor_and_shows_everybody_once(cast: Cast):
    for number in range(120):
        make_khata(cast.shop, f"Party {number:03d}")
    client = client_of(cast.asha)
    address, seen = f"/s/{cast.shop.code}/", []
    while True:
        page = client.get(address).context["page"]
        seen += [row.name for row in page.rows]
        if not page.next_cursor:
            break
        address = f"/s/{cast.shop.code}/?after={page.next_cursor}"
    assert sorted(seen) == [f"Party {number:03d}" for number in range(120)]


def test_three_taps_and_the_digits_save_an_entry(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    client = client_of(cast.bilal)
    form = client.get(_at(cast, khata, "gave/")).context["form"]
    answer = client.post(_at(cast, khata, "gave/"), {"amount": "12*40+65", "key": form["key"].value()})
    assert answer.headers["Location"] == _at(cast, khata, "?saved=1")
    entry = Entry.objects.for_shop(cast.shop).get()
    assert (entry.amount_paise, entry.direction, entry.created_by_id) == (545_00, "gave", cast.bilal.pk)


@pytest.mark.parametrize("amount", ["", "0", "-5", "abc", "1/0", "5.001", "9" * 30, "2**9", "__import__('os')"])
def test_a_bad_amount_is_refused_in_words_and_what_was_typed_stays(cast: Cast, amount: str):
    khata = make_khata(cast.shop, "Ramesh")
    answer = client_of(cast.bilal).post(
        _at(cast, khata, "gave/"), {"amount": amount, "key": "k", "note": "chawal"}
    )
    if amount == "5.001":  # a sum is rounded to whole paise; a written price of 5.001 is 5.00
        assert answer.status_code == 302
        return
    assert answer.status_code == 422
    assert 'value="chawal"' in answer.text
    assert not Entry.objects.for_shop(cast.shop).exists()


def test_the_same_form_sent_twice_is_one_entry_and_with_other_content_is_refused(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    client = client_of(cast.bilal)
    for _number in range(2):
        assert client.post(_at(cast, khata, "got/"), {"amount": "50", "key": "form:same"}).status_code == 302
    answer = client.post(_at(cast, khata, "got/"), {"amount": "60", "key": "form:same"})
    assert answer.status_code == 422
    assert Entry.objects.for_shop(cast.shop).count() == 1


def test_a_form_cannot_squat_on_the_key_of_a_payment_to_come(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    client_of(cast.bilal).post(_at(cast, khata, "got/"), {"amount": "50", "key": "payment:1"})
    assert Entry.objects.for_shop(cast.shop).get().key == "form:payment:1"


def test_a_date_in_the_future_is_refused(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    day = cast.shop.today() + dt.timedelta(days=1)
    data = {"amount": "50", "key": "k", "occurred_on": day.isoformat()}
    assert client_of(cast.bilal).post(_at(cast, khata, "gave/"), data).status_code == 422


@pytest.mark.parametrize("due_on", ["0001-01-01", "9999-12-31", "2026-01-04"])
def test_a_due_date_that_fits_no_entry_is_refused_in_words(cast: Cast, due_on: str):
    khata = make_khata(cast.shop, "Ramesh")
    data = {"amount": "50", "key": "k", "occurred_on": "2026-01-05", "due_on": due_on}
    answer = client_of(cast.bilal).post(_at(cast, khata, "gave/"), data)
    assert answer.status_code == 422
    assert "The due date" in answer.text
    assert not Entry.objects.for_shop(cast.shop).exists()


def test_over_a_blocking_limit_the_cashier_is_refused_and_the_owner_may_say_why(cast: Cast):
    cast.shop.blocks_over_limit = True
    cast.shop.save()
    khata = make_khata(cast.shop, "Ramesh", credit_limit_paise=100_00)
    data = {"amount": "150", "key": "k", "override_reason": "wedding"}
    refused = client_of(cast.bilal).post(_at(cast, khata, "gave/"), data)
    assert refused.status_code == 422
    assert "₹100.00" in refused.text
    assert not Entry.objects.for_shop(cast.shop).exists()
    asked = client_of(cast.asha).post(_at(cast, khata, "gave/"), data | {"override_reason": ""})
    assert 'name="override_reason"' in asked.text
    assert client_of(cast.asha).post(_at(cast, khata, "gave/"), data).status_code == 302


def test_over_a_blocking_limit_the_quick_line_leads_the_owner_to_the_keypad(cast: Cast):
    cast.shop.blocks_over_limit = True
    cast.shop.save()
    khata = make_khata(cast.shop, "Ramesh", credit_limit_paise=0)
    line = {"line": "ramesh 150 chawal", "key": "k"}
    refused = client_of(cast.asha).post(f"/s/{cast.shop.code}/quick/", line)
    address = _at(cast, khata, "gave/?amount=150.00&amp;note=chawal")
    assert refused.status_code == 422
    assert address in refused.text
    page = client_of(cast.asha).get(address.replace("&amp;", "&")).text
    assert 'value="150.00"' in page
    assert 'value="chawal"' in page
    assert "keypad" not in client_of(cast.bilal).post(f"/s/{cast.shop.code}/quick/", line).text


def test_a_limit_of_nothing_can_be_typed_and_an_unknown_saved_entry_is_no_error(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    data = {"credit_limit": "₹0", "credit_days": "", "collect_on": ""}
    assert client_of(cast.meena).post(_at(cast, khata, "terms/"), data).status_code == 302
    khata.refresh_from_db()
    assert khata.credit_limit_paise == 0
    for position in ("999", "9" * 19, "9" * 5000, "²", "-1"):
        assert client_of(cast.meena).get(_at(cast, khata, f"?saved={position}")).status_code == 200


def test_undo_is_offered_for_ten_seconds_to_who_wrote_it(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    post(khata, 100_00, actor=cast.bilal)
    address = _at(cast, khata, "?saved=1")
    undo = _at(cast, khata, "e/1/reverse/")
    assert undo in client_of(cast.bilal).get(address).text
    assert undo not in client_of(cast.asha).get(address).text
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=16)):
        assert undo not in client_of(cast.bilal).get(address).text


def test_a_cashier_reverses_their_own_entry_of_today_only(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    post(khata, 100_00, actor=cast.bilal)
    post(khata, 200_00, actor=cast.asha)
    client = client_of(cast.bilal)
    client.post(_at(cast, khata, "e/1/reverse/"))
    client.post(_at(cast, khata, "e/2/reverse/"))
    khata.refresh_from_db()
    assert khata.balance_paise == 200_00
    post(khata, 300_00, actor=cast.bilal)
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=1)):
        client_of(cast.bilal).post(_at(cast, khata, "e/4/reverse/"))
        khata.refresh_from_db()
        assert khata.balance_paise == 500_00
        client_of(cast.meena).post(_at(cast, khata, "e/4/reverse/"))
    khata.refresh_from_db()
    assert khata.balance_paise == 200_00


def test_a_deleted_entry_stands_in_the_trail_once_with_who_did_it(cast: Cast):
    khata = make_khata(cast.shop)
    post(khata, 500_00, "got", actor=cast.bilal)
    for _again in range(2):
        client_of(cast.bilal).post(_at(cast, khata, "e/1/reverse/"), {"reason": "typed \0 wrong"})
    event = AuditEvent.objects.for_shop(cast.shop).get(action="entry.reversed")
    assert (event.actor, event.target) == (cast.bilal, f"party:{khata.party.code}")
    assert sentence(event) == "Deleted: ₹500.00. The balance is ₹0.00."


def test_a_new_khata_needs_only_a_name_and_a_duplicate_warns_once(cast: Cast):
    client = client_of(cast.bilal)
    address = f"/s/{cast.shop.code}/parties/new/"
    data = {
        "name": "रमेश",
        "kind": "customer",
        "key": "form:a",
        "phone": "98765 43210",
        "opening": "1,250.50",
        "consent": "on",
    }
    assert client.post(address, data).status_code == 302
    party = Party.objects.for_shop(cast.shop).get()
    assert (party.phone, party.khata.balance_paise) == ("+919876543210", 125050)
    assert has_consent(party, "sms")
    twin = client.post(address, data | {"key": "form:b"})
    assert "Already in the book" in twin.text
    assert Party.objects.for_shop(cast.shop).count() == 1
    client.post(address, data | {"key": "form:b", "anyway": "1"})
    client.post(address, data | {"key": "form:b", "anyway": "1"})
    assert Party.objects.for_shop(cast.shop).count() == 2


def test_a_party_called_script_or_formula_harms_no_page(cast: Cast):
    for name in ("<script>alert(1)</script>", "=cmd()", '"><img src=x onerror=alert(1)>'):
        khata = make_khata(cast.shop, name)
        post(khata, 100_00, note=name)
        client = client_of(cast.asha)
        for address in (
            f"/s/{cast.shop.code}/",
            _at(cast, khata),
            _at(cast, khata, "gave/"),
            _at(cast, khata, "edit/"),
        ):
            page = client.get(address)
            assert page.status_code == 200
            assert "<script>alert" not in page.text
            assert "<img src=x" not in page.text


def test_a_form_opened_before_the_customer_stopped_messages_does_not_start_them_again(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh", phone="+919812345678", consent_source="counter")
    client = client_of(cast.bilal)
    opened = client.get(_at(cast, khata, "edit/")).context["form"]
    assert 'name="had_consent" value="True"' in str(opened["had_consent"])
    stop_messages(link=make_link(shop=cast.shop, khata=khata, actor=None))
    data = {"name": "Ramesh Lal", "phone": "9812345678", "language": "en", "kind": "customer", "consent": "on"}
    client.post(_at(cast, khata, "edit/"), data | {"had_consent": "True"})
    assert not has_consent(khata.party, "sms")
    client.post(_at(cast, khata, "edit/"), data | {"had_consent": "False"})  # ticked anew, at the counter
    assert has_consent(khata.party, "sms")


def test_a_new_number_asks_for_a_yes_of_its_own(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh", phone="+919812345678", consent_source="counter")
    client, where = client_of(cast.bilal), _at(cast, khata, "edit/")
    assert 'name="consent_anew"' in client.get(where).text
    data = {"name": "Ramesh", "language": "en", "kind": "customer", "consent": "on", "had_consent": "True"}
    client.post(where, data | {"phone": "9812345679", "consent_anew": "on"})
    assert has_consent(khata.party, "sms")
    client.post(where, data | {"phone": "9812345670"})
    assert not has_consent(khata.party, "sms")
    assert 'name="consent_anew"' not in client.get(where).text  # the tick itself is the new yes


def test_terms_that_are_refused_leave_the_tick_of_agreement_where_it_was(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh", phone="+919812345678", consent_source="counter")
    page = client_of(cast.meena).post(_at(cast, khata, "terms/"), {"credit_limit": "much"})
    assert page.status_code == 422
    assert "checked" in str(page.context["form"]["consent"])


def test_an_email_address_that_no_message_could_hold_is_refused(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    data = {"name": "Ramesh", "language": "en", "kind": "customer", "email": f"{'a' * 60}@{'b' * 60}.example"}
    assert client_of(cast.bilal).post(_at(cast, khata, "edit/"), data).status_code == 422
    khata.party.refresh_from_db()
    assert khata.party.email == ""


def test_terms_are_for_managers_and_empty_means_none(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh", credit_limit_paise=100_00)
    data = {"credit_limit": "", "credit_days": "15", "collect_on": ""}
    assert client_of(cast.bilal).post(_at(cast, khata, "terms/"), data).status_code == 403
    assert client_of(cast.meena).post(_at(cast, khata, "terms/"), data).status_code == 302
    khata.refresh_from_db()
    assert (khata.credit_limit_paise, khata.credit_days) == (None, 15)


def test_an_archived_party_leaves_the_list_and_is_found_under_archived(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    client = client_of(cast.meena)
    client.post(_at(cast, khata, "archive/"), {"archived": "1"})
    assert not client.get(f"/s/{cast.shop.code}/").context["page"].rows
    assert client.get(f"/s/{cast.shop.code}/?show=archived").context["page"].rows


def test_the_pulse_says_nothing_until_the_khata_grew(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    client = client_of(cast.chitra)
    assert client.get(_at(cast, khata, "pulse/?count=0")).status_code == 204
    post(khata, 100_00)
    answer = client.get(_at(cast, khata, "pulse/?count=0"))
    assert (answer.status_code, answer.text) == (200, "1")
