"""What people choose on the screens of asking, as final types. Nothing here writes."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.limits import MAX_KEY_CHARS
from core.money import plain_rupees
from ledger.forms import PaiseField
from reminders.models import Rule, Via
from reminders.runs import MAX_PARTIES
from reminders.selectors import WHICH


class RemindForm(forms.Form):
    """One party, one channel."""

    channel = forms.ChoiceField(choices=Via.choices, label=gettext_lazy("Send by"))
    key = forms.CharField(max_length=MAX_KEY_CHARS, widget=forms.HiddenInput)


class RunForm(forms.Form):
    """Many parties: ticked one by one, or a whole list."""

    channel = forms.ChoiceField(choices=Via.choices, initial=Via.WHATSAPP, label=gettext_lazy("Send by"))
    key = forms.CharField(max_length=MAX_KEY_CHARS, widget=forms.HiddenInput)
    which = forms.ChoiceField(choices=list(WHICH.items()), widget=forms.HiddenInput)
    everyone = forms.BooleanField(required=False)
    party = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["party"].valid_value = lambda value: True  # type: ignore[attr-defined]  # see clean_party

    def clean_party(self) -> list[int]:
        """Numbers; which of them are this shop's, the service knows."""
        values = self.cleaned_data["party"]
        if len(values) > MAX_PARTIES or not all(value.isascii() and value.isdecimal() for value in values):
            raise forms.ValidationError(_("This form is incomplete. Open it again and save once more."))
        return [int(value) for value in values if len(value) < 19]


class RuleForm(forms.Form):
    """When Khata asks by itself."""

    name = forms.CharField(max_length=60, label=gettext_lazy("Name"))
    days_after_due = forms.IntegerField(
        min_value=0, max_value=365, initial=3, label=gettext_lazy("Days after the due date")
    )
    every_days = forms.IntegerField(min_value=1, max_value=90, initial=7, label=gettext_lazy("Then every … days"))
    min_amount_paise = PaiseField(
        label=gettext_lazy("From this amount on"),
        initial="100",
        help_text=gettext_lazy("Smaller dues are not asked for."),
    )
    channel = forms.ChoiceField(choices=Via.choices, initial=Via.WHATSAPP, label=gettext_lazy("Send by"))
    enabled = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Switched on"))


def rule_initial(rule: Rule) -> dict[str, Any]:
    """A rule as its form shows it."""
    fields = ("name", "days_after_due", "every_days", "channel", "enabled")
    initial: dict[str, Any] = {field: getattr(rule, field) for field in fields}
    return initial | {"min_amount_paise": plain_rupees(rule.min_amount_paise).removesuffix(".00")}
