"""For operators: find people, shops and seats; let a person in again or keep them out."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.phones import e164
from shops.models import AuditEvent, Member, Shop, User
from shops.operators import ReadOnlyAdmin
from shops.services import audit, tell_of_new_phone

admin.site.site_header = gettext_lazy("Khata operators")
admin.site.site_title = gettext_lazy("Khata operators")
admin.site.index_title = gettext_lazy("What shops and people need from us")
admin.site.unregister(Group)  # two kinds of operator are enough: superusers and staff


class _PhoneMixin(forms.ModelForm):  # type: ignore[type-arg]
    def clean_phone(self) -> str:
        phone = e164(str(self.cleaned_data["phone"]))
        if phone is None:
            raise forms.ValidationError(_("This is not a phone number we can reach. Ten digits are enough."))
        return phone


class NewUserForm(_PhoneMixin, AdminUserCreationForm):  # type: ignore[type-arg]
    """A person by phone; without a password only sign-in codes work."""

    class Meta:
        model = User
        fields = ("phone", "name")


class EditUserForm(_PhoneMixin, UserChangeForm):  # type: ignore[type-arg]
    """The person, without what only superusers may change."""

    class Meta:
        model = User
        fields = (
            *("phone", "phone_verified", "name", "language", "password"),
            *("is_active", "is_staff", "is_superuser"),
        )


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """People sign in by phone. Nobody is deleted here: that would take their seats from the trail."""

    form = EditUserForm
    add_form = NewUserForm
    list_display = ("phone", "name", "is_active", "is_staff", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("phone", "name")
    ordering = ("-date_joined",)
    filter_horizontal = ()
    show_full_result_count = False
    actions = None
    readonly_fields: ClassVar[tuple[str, ...]] = ("date_joined", "last_login")
    fieldsets = (
        (None, {"fields": ("phone", "phone_verified", "name", "language", "password")}),
        (gettext_lazy("Rights"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (gettext_lazy("Dates"), {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("phone", "name", "usable_password", "password1", "password2")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Rights are given by superusers only, or staff could make themselves one."""
        rights = () if request.user.is_superuser else ("is_staff", "is_superuser")
        return (*self.readonly_fields, *rights)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        is_above = obj is not None and obj.is_staff and not request.user.is_superuser
        return allowed and not is_above

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._audit(request, obj, sorted(form.changed_data) if change else ["new"])
        if change and form.initial["phone"] != obj.phone:
            tell_of_new_phone(person=obj, actor=request.user)  # type: ignore[arg-type]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        answer = super().user_change_password(request, id, form_url)
        if request.method == "POST" and answer.status_code == 302:
            self._audit(request, User.objects.get(pk=id), ["password"])
        return answer

    @staticmethod
    def _audit(request: HttpRequest, person: User, fields: list[str]) -> None:
        audit(
            shop=None,
            actor=request.user,  # type: ignore[arg-type]
            action="operator.person_changed",
            target=f"user:{person.pk}",
            after={"fields": fields},
        )


@admin.register(Shop)
class ShopAdmin(ReadOnlyAdmin):
    """Every shop, to look at; owners change their own settings."""

    list_display = ("code", "name", "trade", "language", "is_demo", "created_at")
    list_filter = ("is_demo", "language")
    search_fields = ("code", "name")
    ordering = ("-created_at",)


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    """Who sits where."""

    list_display = ("shop", "user", "role", "created_at", "revoked_at")
    list_filter = ("role",)
    list_select_related = ("shop", "user")
    search_fields = ("shop__code", "shop__name", "user__phone", "user__name")
    ordering = ("-id",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """What was changed by whom."""

    list_display = ("created_at", "shop", "actor", "action", "target", "is_alarm")
    list_filter = ("is_alarm",)
    list_select_related = ("shop", "actor")
    search_fields = ("shop__code", "shop__name", "action", "target")
    ordering = ("-id",)
