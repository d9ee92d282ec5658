"""UPI in one place: who may be paid, the link that asks, the reference that proves.

Facts of the UPI linking specification (as its builders tabulate it) stay in this file, so that a
change of theirs is a one-file change of ours.
"""

import re
import unicodedata
from urllib.parse import quote

from anyascii import anyascii

from core.money import fold_digits, plain_rupees

MAX_VPA_CHARS = 50
MAX_NAME_CHARS = 50
MAX_NOTE_CHARS = 40
UTR_DIGITS = 12

# A handle has no dot: that tells ramesh@gmail.com, an email address, from a UPI ID.
_VPA = re.compile(r"[a-z0-9._-]{2,256}@[a-z]{2,64}", re.ASCII)
_NOT_IN_NOTE = re.compile(r"[^A-Za-z0-9.,&()/ -]+")
_REFERENCE = re.compile(r"[A-Za-z0-9]{4,35}", re.ASCII)

# Handles seen in the lists of payment apps. New ones appear every year: not being here is worth
# a warning to whoever types, never a refusal.
HANDLES = frozenset(
    # A list of 93 quoted words would be a page of noise.
    """
    abfspay airtel airtelpaymentsbank allbank apl aubank axisb axisbank axl bandhan bandhanbank barodampay
    boi canara cbin centralbank cmsidfc cnrb csbpay cub dbs dcb dcbbank dlb ezeepay fam fbl fbpe federal
    fifederal freecharge hdfcbank ibl icici idbi idbibank idfcbank ikwik indus indusind iob jio jiopay
    jupiteraxis karb karnatakabank kbl kotak kvb mahb naviaxis okaxis okbizaxis okhdfc okhdfcbank okicici
    okkotak oksbi okyesbank paytm phonepe pingpay pnb pockets postbank psb ptaxis pthdfc ptsbi ptyes rapl
    rbl sbi sib slc slice southindianbank superyes tapicici timecosmos ubi uco ucobank unionbank
    unionbankofindia upi waaxis wahdfcbank waicici wasbi yapl ybl yesbank yesg
    """.split()  # noqa: SIM905
)


class UtrError(ValueError):
    """The text is not the 12-digit reference of a UPI payment."""


def clean_vpa(text: str) -> str:
    """A UPI ID as we keep it: small letters, no spaces around. Validity is ``is_vpa``'s to say."""
    return text.strip().lower()


def is_vpa(text: str | None) -> bool:
    """Whether ``text`` has the form of a UPI ID: ``name@handle``, case-insensitive, ≤ 50 characters."""
    return bool(text) and len(text or "") <= MAX_VPA_CHARS and bool(_VPA.fullmatch((text or "").lower()))


def handle_is_known(vpa: str) -> bool:
    """Whether a payment app or bank is known to use this handle."""
    return vpa.rpartition("@")[2].lower() in HANDLES


def upi_link(*, pa: str, pn: str, amount_paise: int | None, note: str, ref: str | None = None) -> str:
    """``upi://pay?…``: percent-encoded as RFC 3986 says, so that no name or note can add a parameter.

    ``amount_paise`` None or not positive: the payer types it (apps refuse am=0). ``ref`` becomes
    ``tr``, 4-35 letters and digits, only when given. Raises ValueError for a payee that is none.
    """
    if not is_vpa(pa):
        raise ValueError("not a UPI ID")
    fields = [("pa", clean_vpa(pa)), ("pn", payee_name(pn))]
    if amount_paise is not None and amount_paise > 0:
        fields.append(("am", plain_rupees(amount_paise)))
    fields.append(("cu", "INR"))
    if tn := clean_note(note):
        fields.append(("tn", tn))
    if ref is not None:
        if not _REFERENCE.fullmatch(ref):
            raise ValueError("a UPI reference has 4-35 letters and digits")
        fields.append(("tr", ref))
    return "upi://pay?" + "&".join(f"{name}={quote(value, safe='@')}" for name, value in fields)


def payee_name(name: str) -> str:
    """A name in Latin letters, as every app shows it; what is left is still escaped in the link."""
    latin = "".join(char for char in anyascii(name) if char.isprintable())
    return " ".join(latin.split())[:MAX_NAME_CHARS].strip() or "Shop"


def clean_note(note: str) -> str:
    """The characters that banks carry through to the statement, at most 40."""
    return " ".join(_NOT_IN_NOTE.sub(" ", anyascii(note)).split())[:MAX_NOTE_CHARS].strip()


def clean_utr(text: str) -> str:
    """The 12 digits of a UPI reference, from any script, with spaces or a bank's ``0000`` before it.

    Raises UtrError for anything else.
    """
    visible = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")  # pasted marks
    digits = re.sub(r"[\s-]+", "", fold_digits(visible))
    if len(digits) == UTR_DIGITS + 4 and digits.startswith("0000"):
        digits = digits[4:]
    if not re.fullmatch(r"[0-9]{12}", digits) or not digits.strip("0"):
        raise UtrError("a UPI reference has 12 digits")
    return digits


def utr_in(reference: str) -> str:
    """The UTR that a gateway's reference is, as customers type it; empty where it is none.

    Only a UTR tells one money from another: the rest may name a batch, or nothing.
    """
    try:
        return clean_utr(reference)
    except UtrError:
        return ""


def shown_reference(reference: str) -> str:
    """What is worth keeping of a reference that is no UTR: all of it, but nothing of “NA”, “0”, “-”."""
    return reference if re.search("[1-9]", reference) else ""


def utr_lock(shop_id: int, utr: str) -> str:
    """The name that whoever brings money under this reference into the book holds meanwhile."""
    return f"utr:{shop_id}:{utr}"


def spaced_utr(utr: str) -> str:
    """``412355678812`` → ``4123 5567 8812``: as people compare it, digit by digit."""
    return " ".join(utr[at : at + 4] for at in range(0, len(utr), 4))
