"""The words that other books use: header names, and what stands in their type columns.

Headers are compared after ``fold``: small letters and digits of any script, nothing else. Names
come from Khatabook, OkCredit, Vyapar, Tally, Busy and paper-like sheets, in English and Hindi.
"""

import unicodedata

from core.money import fold_digits
from ledger.models import Direction, Kind

# Roles of columns. A header names at most one; the first column with a role keeps it.
_HEADERS = {
    "party": (
        "party|partyname|name|customer|customername|customer/supplier|contact|contactname|account|"
        "accountname|ledger|ledgername|person|personname|client|clientname|buyer|buyername|supplier|suppliername|"
        "vendor|vendorname|billto|partyledger|आपूर्तिकर्ता|आपूर्तिकर्ताकानाम|सप्लायर|सप्लायरकानाम|विक्रेता|खाता|खाताधारक|नाम|ग्राहक|ग्राहककानाम|पार्टी|पार्टीकानाम|व्यापारी"
    ),
    "party_id": (
        "customerid|customerno|customercode|partyid|partycode|clientid|accountid|accountno|custid|"
        "supplierid|suppliercode|vendorid|vendorcode"
    ),
    "phone": (
        "phone|phonenumber|phoneno|mobile|mobileno|mobilenumber|contactno|contactnumber|customerphone|customermobile|"
        "partyphone|whatsapp|whatsappnumber|फोन|फ़ोन|फोननंबर|मोबाइल|मोबाइलनंबर"
    ),
    "party_kind": "partytype|partygroup|group|groupname|contacttype|under|partykind",
    "date": (
        "date|entrydate|transactiondate|txndate|vchdate|voucherdate|billdate|invoicedate|saledate|createdat|"
        "dateoftransaction|docdate|तारीख|तारीख़|दिनांक|तिथि"
    ),
    "due": "duedate|dueon|paymentduedate|duedt|देयतिथि|अंतिमतिथि",
    "settled": (
        "settleddate|settledon|paiddate|paidon|paymentdate|datepaid|actualpaymentdate|cleareddate|clearedon|receiveddate|"
        "भुगतानतिथि"
    ),
    "number": (
        "invoiceno|invoicenumber|invoiceid|invoice|billno|billnumber|billid|bill|vchno|voucherno|refno|referenceno|"
        "docno|बिलनंबर|बिलसंख्या"
    ),
    "gave": (
        "gave|yougave|given|debit|debitamount|debitamt|debitrs|dr|dramount|youpaid|paid|udhaar|udhar|"
        "creditgiven|youwillget|youllget|toreceive|receivable|receivables|आपनेदिया|दिया|दिए|उधार|उधारदिया|लेने|आपकोमिलेंगे"
    ),
    "got": (
        "got|yougot|received|credit|creditamount|creditamt|creditrs|cr|cramount|yoursreceived|receivedamount|"
        "paymentreceived|jama|youwillgive|youllgive|topay|payable|payables|amountreceived|आपकोमिला|मिला|मिले|जमा|"
        "देने|आपदेंगे"
    ),
    "amount": (
        "amount|amt|total|totalamount|invoiceamount|invoicetotal|invoicevalue|billamount|billtotal|grandtotal|netamount|"
        "amountinr|amountrs|value|रकम|राशि|कुल|कुलराशि"
    ),
    "paid": "paidamount|amountpaid|partpaid|paidamt",
    "type": (
        "type|entrytype|transactiontype|txntype|gavegot|gave/got|inout|cashinout|direction|drcr|crdr|vchtype|vouchertype|"
        "toreceivetopay|receivablepayable|balancetype|openingbalancetype|youwillgetyouwillgive|प्रकार|लेनादेना"
    ),
    "kind": "kind|entrykind",
    "status": "status|paymentstatus|billstatus|invoicestatus|paidstatus|duestatus|स्थिति|भुगतानस्थिति|भुगतानकीस्थिति",
    "note": (
        "note|notes|details|detail|description|remark|remarks|narration|particulars|item|items|comment|comments|memo|"
        "विवरण|टिप्पणी|नोट|सामान"
    ),
    "balance": (
        "openingbalance|openingbal|balance|currentbalance|closingbalance|netbalance|outstanding|outstandingamount|due|dues|balancedue|amountdue|dueamount|"
        "opening|openingdue|pending|pendingamount|runningbalance|balanceafter|बकाया|बाकी|शेष|प्रारंभिकशेष|पुरानाबकाया"
    ),
}  # fmt: skip

_GAVE = (
    "gave|yougave|given|debit|dr|d|sale|sales|creditsale|invoice|bill|taxinvoice|udhaar|udhar|lent|out|cashout|toreceive|"
    "youwillget|youllget|receivable|receivables|get|due|creditgiven|paymentout|debitnote|purchasereturn|दिया|दिए|उधार|लेना|लेने|बिक्री|आपनेदिया|नाम"
)
_GOT = (
    "got|yougot|credit|cr|c|received|receipt|payment|paymentin|paymentreceived|jama|in|cashin|topay|youwillgive|youllgive|"
    "payable|payables|give|advance|return|salereturn|salesreturn|creditnote|discount|purchase|मिला|मिले|जमा|देना|देने|भुगतान|वापसी|खरीद|आपकोमिला"
)
_KINDS = {
    Kind.SALE: "sale|sales|creditsale|invoice|bill|taxinvoice|बिक्री",
    Kind.PAYMENT: "payment|paymentin|paymentout|paymentreceived|receipt|भुगतान",
    Kind.RETURN: "return|salereturn|salesreturn|purchasereturn|creditnote|वापसी",
    Kind.DISCOUNT: "discount",
    Kind.PURCHASE: "purchase|खरीद",
    Kind.OPENING: "opening|openingbalance",
    Kind.WRITE_OFF: "writeoff|writtenoff|baddebt",
    Kind.FEE: "fee|charge|interest",
    Kind.ORDER: "order",
    Kind.REFUND: "refund",
}
# Between the shop and who sells to it, these words go the other way or are said from the other side.
_GAVE_SUPPLIER = "payment|भुगतान|paid|return|purchasereturn|debitnote|creditnote|वापसी|discount|advance"
_GOT_SUPPLIER = "bill|invoice|taxinvoice|credit"
_SUPPLIER_NAMES = (
    "supplier|suppliername|supplierid|suppliercode|vendor|vendorname|vendorid|vendorcode|"
    "आपूर्तिकर्ता|आपूर्तिकर्ताकानाम|सप्लायर|सप्लायरकानाम|विक्रेता"
)
_SALES = "sale|sales|creditsale|बिक्री"
PAID, UNPAID, PARTIAL, CANCELLED = "paid", "unpaid", "partial", "cancelled"
_STATES = {
    PAID: (
        "paid|fullypaid|paidinfull|fullpaid|settled|cleared|closed|received|complete|completed|चुकता|चुकाया|चुकादिया|"
        "भुगतानहुआ|भुगतानहोगया|भुगतान|पूराभुगतान|अदा|अदाकिया|मिला|मिलगया|जमा"
    ),
    UNPAID: (
        "unpaid|notpaid|open|due|overdue|pending|outstanding|credit|notreceived|बाकी|बकाया|उधार|अवैतनिक|अदत्त|"
        "नहींमिला|नहींचुकाया|भुगतानबाकी|भुगताननहींहुआ|लंबित"
    ),
    PARTIAL: "partial|partially|partiallypaid|partlypaid|partpaid|part|partpayment|आंशिक|आंशिकभुगतान|आधा|कुछमिला|अधूरा",
    CANCELLED: "cancelled|canceled|cancel|void|voided|रद्द|निरस्त",
}
# Only these words say that the party sells to the shop; a customer's advance says nothing.
_SUPPLIERS = "topay|payable|payables|supplier|suppliers|vendor|vendors|creditor|creditors|sundrycreditors"
_TOTALS = "total|totals|grandtotal|closingbalance|subtotal|nettotal|कुल|कुलयोग|योग"


def fold(text: str) -> str:
    """Letters (with their vowel signs) and digits of any script, small; the rest is dropped."""
    text = unicodedata.normalize("NFC", fold_digits(text)).casefold()
    return "".join(char for char in text if unicodedata.category(char)[0] in "LMN")


def _table(words: dict[str, str]) -> dict[str, str]:
    return {fold(name): role for role, names in reversed(words.items()) for name in names.split("|")}


ROLES = _table(_HEADERS)
_KIND_OF = _table({str(kind): names for kind, names in _KINDS.items()})
_DIRECTION_OF = _table({str(Direction.GAVE): _GAVE, str(Direction.GOT): _GOT})
_SUPPLIER_WORDS = {fold(word) for word in _SUPPLIERS.split("|")}
_TOTAL_WORDS = {fold(word) for word in _TOTALS.split("|")}
_SALE_WORDS = {fold(word) for word in _SALES.split("|")}
_SUPPLIER_HEADERS = {fold(word) for word in _SUPPLIER_NAMES.split("|")}
_STATE_OF = _table(_STATES)
_DIRECTION_OF_SUPPLIER = _table({str(Direction.GAVE): _GAVE_SUPPLIER, str(Direction.GOT): _GOT_SUPPLIER})


def role_of(header: str) -> str | None:
    """What a column of this name holds; units and currencies in brackets are ignored."""
    return ROLES.get(fold(header)) or ROLES.get(fold(header.partition("(")[0]))


def direction_of(text: str, *, of_supplier: bool = False) -> str | None:
    """gave or got for a word of a type column; None where the word is not known."""
    found = _DIRECTION_OF_SUPPLIER.get(fold(text)) if of_supplier else None
    return found or _DIRECTION_OF.get(fold(text))


def kind_of(text: str) -> str | None:
    """The kind of entry that a type word names, where it names one."""
    return _KIND_OF.get(fold(text))


def says_supplier(text: str) -> bool:
    """Whether a side or group word means that the shop buys from this party."""
    return fold(text) in _SUPPLIER_WORDS


def says_sale(text: str) -> bool:
    """Whether a type word names a sale and not just any bill."""
    return fold(text) in _SALE_WORDS


def says_return(text: str, *, of_supplier: bool = False) -> bool:
    """Whether a type word names goods that went back; to a supplier they go with a debit note."""
    return kind_of(text) == Kind.RETURN or (of_supplier and fold(text) == "debitnote")


def heads_bills(header: str) -> bool:
    """Whether the numbers below this header are those of bills, and not of vouchers or bank references."""
    return fold(header.partition("(")[0]).startswith(("bill", "invoice", "बिल"))


def heads_suppliers(header: str) -> bool:
    """Whether the names below this header are those of suppliers."""
    return fold(header) in _SUPPLIER_HEADERS or fold(header.partition("(")[0]) in _SUPPLIER_HEADERS


def state_of(text: str) -> str | None:
    """paid, unpaid, partial or cancelled; "" for an empty cell, None where the word is not known."""
    return _STATE_OF.get(fold(text)) if fold(text) else ""


def is_total(text: str) -> bool:
    """Whether this stands in the name column of a sheet's own sum line."""
    return fold(text) in _TOTAL_WORDS
