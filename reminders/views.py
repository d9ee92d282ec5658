"""Collect, one reminder, runs, messages, rules."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import clock
from core.crypto import SealBroken
from core.http import wants_fragment
from core.worker import nudge
from ledger.forms import new_key
from ledger.models import Khata
from ledger.selectors import khata_by_code
from reminders import channels, selectors, services
from reminders.channels import tap
from reminders.forms import RemindForm, RuleForm, RunForm, rule_initial
from reminders.models import Message, Rule, Run, Via
from shops.access import Seat, door
from shops.models import Role

DECISIONS = {
    "retry": services.retry_message,
    "arrived": services.confirm_sent,
    "cancel": services.cancel_message,
}


@require_safe
@door(Role.VIEWER)
def collect(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Whom to ask today: by how late they are, with tick boxes for who may ask."""
    which = request.GET.get("show", "due")
    if which not in selectors.WHICH:
        return redirect("reminders:collect", seat.shop.code)
    try:
        page = selectors.collect_page(
            seat.shop, seat.shop.today(), which=which, cursor=request.GET.get("after", "")
        )
    except SealBroken:
        return redirect("reminders:collect", seat.shop.code)
    context: dict[str, Any] = {"page": page, "which": which, "may_ask": seat.is_manager}
    if wants_fragment(request) and request.GET.get("after"):
        return render(request, "reminders/collect.html#rows", context)
    return render(request, "reminders/collect.html", context | _collect_frame(seat, which))


def _collect_frame(seat: Seat, which: str) -> dict[str, Any]:
    """What stands around the list: chips, the form, a run that is still at work."""
    chips = selectors.collect_chips(seat.shop, seat.shop.today())
    return {
        "chips": chips,
        "chosen": next(chip for chip in chips if chip.which == which),
        "shows_totals": seat.member.role != Role.CASHIER,
        "form": RunForm(initial={"key": new_key(), "which": which}),
        "open_run": selectors.latest_run(seat.shop) if seat.is_manager else None,
    }


@require_POST
@door(Role.MANAGER)
def start_run(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Ask many at once; the worker does it, and the next page shows how far it is."""
    form = RunForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was sent. Choose whom to ask, and how, once more."))
        return redirect("reminders:collect", seat.shop.code)
    data = form.cleaned_data
    chosen = data["party"]
    if data["everyone"]:
        chosen = selectors.collect_ids(seat.shop, seat.shop.today(), data["which"])
    try:
        run = services.start_run(
            shop=seat.shop,
            actor=seat.user,
            party_ids=chosen,
            channel=data["channel"],
            key=data["key"],
            of_due=data["which"] in selectors.OF_DUE,
        )
    except services.RunError as error:
        messages.error(request, str(error))
        return redirect("reminders:collect", seat.shop.code)
    nudge()
    return redirect("reminders:run", seat.shop.code, run.pk)


@require_safe
@door(Role.MANAGER)
def run(request: HttpRequest, seat: Seat, pk: int) -> HttpResponse:
    """How far a run is; the open page asks every second, a closed one loses nothing."""
    row = get_object_or_404(Run.objects.for_shop(seat.shop), pk=pk)
    facts = selectors.run_facts(row)
    context: dict[str, Any] = {"facts": facts, "run": row}
    if facts.is_over:
        context["refusals"] = selectors.run_refusals(row)
    template = "reminders/run.html#progress" if wants_fragment(request) else "reminders/run.html"
    return render(request, template, context)


@require_POST
@door(Role.MANAGER)
def stop_run(request: HttpRequest, seat: Seat, pk: int) -> HttpResponse:
    """Stop a run: what waits is not sent."""
    row = get_object_or_404(Run.objects.for_shop(seat.shop), pk=pk)
    services.stop_run(run=row, actor=seat.user)
    return redirect("reminders:run", seat.shop.code, pk)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Role.MANAGER)
def remind(request: HttpRequest, seat: Seat, party_code: str) -> HttpResponse:
    """One party: the text as it will be, each channel with its reason, and the own phone."""
    khata = khata_by_code(seat.shop, party_code)
    form = RemindForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            message = services.remind(khata=khata, actor=seat.user, **form.cleaned_data)
        except services.ReminderRefused as error:
            messages.error(request, str(error))
        else:
            nudge()
            messages.success(request, _said(message))
            return redirect("ledger:khata", seat.shop.code, party_code)
    status = 422 if request.method == "POST" else 200
    return render(request, "reminders/remind.html", _remind_context(khata), status=status)


def _said(message: Message) -> str:
    if message.due_at > clock.now():
        return _("The reminder waits for the morning: nobody is asked in quiet hours.")
    return _("The reminder is on its way.")


def _remind_context(khata: Khata) -> dict[str, Any]:
    previews = services.previews(khata=khata)
    phone, text = khata.party.phone, previews[0].text
    taps = [(Via.WHATSAPP, tap.whatsapp_url(phone, text)), (Via.SMS, tap.sms_url(phone, text))] if phone else []
    return {
        "khata": khata,
        "party": khata.party,
        "previews": previews,
        "text": text,
        "key": new_key(),
        "taps": taps,
        # The own phone knows no rule: who writes by hand is at least told what Khata would do.
        "caution": "" if previews[0].verdict.allowed else previews[0].verdict.reason,
    }


@require_POST
@door(Role.MANAGER)
def tapped(request: HttpRequest, seat: Seat, party_code: str) -> HttpResponse:
    """The shopkeeper sent it from the own phone: write that down, once per day and channel."""
    khata = khata_by_code(seat.shop, party_code)
    channel = request.POST.get("channel", "")
    if channel not in {Via.WHATSAPP, Via.SMS} or not khata.party.phone:
        raise Http404
    services.log_tap(khata=khata, actor=seat.user, channel=channel)
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    messages.success(request, _("Noted: you have reminded %(name)s today.") % {"name": khata.party.name})
    return redirect("ledger:khata", seat.shop.code, party_code)


@require_safe
@door(Role.MANAGER)
def message_list(request: HttpRequest, seat: Seat) -> HttpResponse:
    """What was said, what waits and what was refused, each with its reason."""
    which = request.GET.get("show", "all")
    if which not in selectors.MESSAGE_FILTERS:
        return redirect("reminders:messages", seat.shop.code)
    try:
        page = selectors.message_page(seat.shop, which=which, cursor=request.GET.get("after", ""))
    except SealBroken:
        return redirect("reminders:messages", seat.shop.code)
    context = {
        "page": page,
        "which": which,
        "filters": [(name, label) for name, (label, _states) in selectors.MESSAGE_FILTERS.items()],
    }
    if wants_fragment(request) and request.GET.get("after"):
        return render(request, "reminders/messages.html#rows", context)
    context["troubles"] = selectors.troubles(seat.shop)
    return render(request, "reminders/messages.html", context)


@require_POST
@door(Role.MANAGER)
def decide(request: HttpRequest, seat: Seat, pk: int, what: str) -> HttpResponse:
    """A person decides about a message that is in doubt, failed or waits."""
    message = get_object_or_404(Message.objects.for_shop(seat.shop), pk=pk)
    if what not in DECISIONS:
        raise Http404
    try:
        DECISIONS[what](message=message, actor=seat.user)
    except services.MessageError as error:
        messages.error(request, str(error))
    else:
        nudge()
        messages.success(request, _("Done."))
    return redirect("reminders:messages", seat.shop.code)


@require_safe
@door(Role.MANAGER)
def rules(request: HttpRequest, seat: Seat) -> HttpResponse:
    """When Khata asks by itself."""
    rows = [(rule, channels.carrier(rule.channel) is not None) for rule in selectors.rules_of(seat.shop)]
    return render(request, "reminders/rules.html", {"rules": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@door(Role.MANAGER)
def rule(request: HttpRequest, seat: Seat, pk: int | None = None) -> HttpResponse:
    """Add a rule, or change one."""
    row = get_object_or_404(Rule.objects.for_shop(seat.shop), pk=pk) if pk else None
    form = RuleForm(request.POST or None, initial=rule_initial(row) if row else None)
    if request.method == "POST" and form.is_valid():
        services.save_rule(shop=seat.shop, actor=seat.user, values=form.cleaned_data, rule=row)
        messages.success(request, _("The rule is saved."))
        return redirect("reminders:rules", seat.shop.code)
    return render(
        request, "reminders/rule.html", {"form": form, "rule": row}, status=422 if form.is_bound else 200
    )


@require_POST
@door(Role.MANAGER)
def switch_rule(request: HttpRequest, seat: Seat, pk: int) -> HttpResponse:
    """Switch a rule on or off."""
    row = get_object_or_404(Rule.objects.for_shop(seat.shop), pk=pk)
    services.switch_rule(rule=row, actor=seat.user, enabled=request.POST.get("enabled") == "1")
    return redirect("reminders:rules", seat.shop.code)
