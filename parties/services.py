"""Every write of parties and consents."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import clock
from parties.models import Channel, Consent, NameWord, Party, PartyKind
from parties.search import roman, skeletons
from shops.models import Shop, User
from shops.services import audit


class PartyError(ValueError):
    """The change is refused; the message is for people."""


class PartyKeyReused(PartyError):
    """The form's key stands on another party already; nothing was written."""


@transaction.atomic
def add_party(
    *,
    shop: Shop,
    actor: User | None,
    name: str,
    key: str | None = None,
    kind: str = PartyKind.CUSTOMER,
    phone: str = "",
    email: str = "",
    language: str = "",
    note: str = "",
    consent_source: str = "",
) -> tuple[Party, bool]:
    """A new party and whether it is new: the same ``key`` with the same content gives the first one.

    ``phone`` is E.164 or empty. ``consent_source`` set: the party agreed to messages there.
    A duplicate name or phone is not refused here; screens warn (see ``selectors.look_alikes``).
    Raises PartyKeyReused where the key's party is another, also one that was edited since.
    """
    name = " ".join(name.split())
    if not name:
        raise PartyError(_("A party needs a name."))
    party = Party(
        shop=shop,
        name=name,
        roman=roman(name),
        kind=kind,
        phone=phone,
        email=email,
        language=language or shop.language,
        note=note,
        key=key,
        created_by=actor,
    )
    known = Party.objects.for_shop(shop).filter(key=key).first() if key else None
    if first := known or _insert_with_free_code(party):
        return _same_or_refuse(first, party), False
    _index_words(party)
    if consent_source:
        for channel, address in _channels(party):
            if address:
                record_consent(party=party, channel=channel, given=True, source=consent_source, actor=actor)
    return party, True


def _same_or_refuse(first: Party, asked: Party) -> Party:
    """``first`` where ``asked`` says the same of who it is; of what was not asked for, nothing."""
    said = {field: getattr(asked, field) for field in ("name", "kind", "phone")}
    said |= {field: value for field in ("email", "note") if (value := getattr(asked, field))}
    if any(getattr(first, field) != value for field, value in said.items()):
        raise PartyKeyReused(_("This form was already saved with other content. Nothing more was written."))
    return first


EDITABLE = ("name", "kind", "phone", "email", "language", "note", "reminders_paused_until")


@transaction.atomic
def edit_party(
    *,
    party: Party,
    actor: User | None,
    changes: dict[str, Any],
    consent: bool | None = None,
    consent_shown: bool | None = None,
    consent_anew: bool = False,
) -> Party:
    """Change some of EDITABLE; audited by field name (values of contacts stay out of the trail).

    ``consent_shown``: what the form said when it was opened. A tick that was only left where it was
    is no new yes: the party may have stopped messages on its own page meanwhile.
    Who agreed on one number has not agreed on another: the channels of a changed phone or email are
    withdrawn, unless this form brings a yes for them, a new tick or ``consent_anew``.
    """
    if unknown := set(changes) - set(EDITABLE):
        raise PartyError(f"not editable: {sorted(unknown)}")
    current = Party.everything.select_for_update().get(pk=party.pk)
    if "name" in changes:
        changes = changes | {"name": " ".join(changes["name"].split())}
        if not changes["name"]:
            raise PartyError(_("A party needs a name."))
    changed = {field: value for field, value in changes.items() if getattr(current, field) != value}
    for field, value in changed.items():
        setattr(current, field, value)
    if "name" in changed:
        current.roman = roman(current.name)
        current.words.all().delete()
        _index_words(current)
    if changed:
        current.save(update_fields=[*changed, "roman"])
        audit(
            shop=current.shop,
            actor=actor,
            action="party.edited",
            target=f"party:{current.code}",
            after={"fields": sorted(changed)},
        )
    was_ticked = bool(consent) and not consent_shown
    moved = _channels_of(set(changed))
    agreed = moved if consent and (consent_anew or was_ticked) else set()
    for channel in sorted(moved - agreed):
        if has_consent(current, channel):
            record_consent(party=current, channel=channel, given=False, source="new-address", actor=actor)
    if consent is not None:
        for channel, address in _channels(current):
            was_spoken_of = Consent.everything.filter(party=current, channel=channel).exists()
            if consent and not was_ticked and channel not in agreed and (channel in moved or was_spoken_of):
                continue
            if address and has_consent(current, channel) is not consent:
                record_consent(party=current, channel=channel, given=consent, source="counter", actor=actor)
    return current


def _channels_of(fields: set[str]) -> set[str]:
    """The channels that these contact fields carry."""
    by_phone = {Channel.SMS.value, Channel.WHATSAPP.value} if "phone" in fields else set()
    return by_phone | ({Channel.EMAIL.value} if "email" in fields else set())


@transaction.atomic
def archive_party(*, party: Party, actor: User | None, archived: bool = True) -> Party:
    """Put a party aside, or take it up again. Its khata stays as it is."""
    current = Party.everything.select_for_update().get(pk=party.pk)
    if bool(current.archived_at) == archived:
        return current
    current.archived_at = clock.now() if archived else None
    current.save(update_fields=["archived_at"])
    action = "party.archived" if archived else "party.unarchived"
    audit(shop=current.shop, actor=actor, action=action, target=f"party:{current.code}")
    return current


def record_consent(*, party: Party, channel: str, given: bool, source: str, actor: User | None) -> Consent:
    """One more line of what the party agreed to; the newest decides."""
    return Consent.everything.create(
        shop_id=party.shop_id, party=party, channel=channel, given=given, source=source, actor=actor
    )


def has_consent(party: Party, channel: str) -> bool:
    """Whether the newest consent of this channel is a yes. No row is a no."""
    newest = Consent.everything.filter(party=party, channel=channel).order_by("-id").first()
    return newest is not None and newest.given


def _channels(party: Party) -> list[tuple[str, str]]:
    return [(Channel.SMS, party.phone), (Channel.WHATSAPP, party.phone), (Channel.EMAIL, party.email)]


def _insert_with_free_code(party: Party) -> Party | None:
    """Insert ``party``; or the party that another hand made from the same form at the same time."""
    for attempt in range(5):
        try:
            with transaction.atomic():
                party.save(force_insert=True)
        except IntegrityError:
            if party.key and (first := Party.everything.filter(shop=party.shop, key=party.key).first()):
                return first
            if attempt == 4:
                raise
            # The code met another one: 1 in 24 million per party of the shop.
            party.code = Party._meta.get_field("code").get_default()
        else:
            return None
    return None


def _index_words(party: Party) -> None:
    NameWord.everything.bulk_create(
        [NameWord(shop_id=party.shop_id, party=party, skeleton=word) for word in sorted(skeletons(party.name))]
    )
