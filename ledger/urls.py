from django.urls import path, register_converter

from ledger.views import khata, lists, parties


class DirectionConverter:
    """Only the two words that the book knows."""

    regex = "gave|got"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(DirectionConverter, "direction")

app_name = "ledger"
urlpatterns = [
    path("", lists.home, name="home"),
    path("ageing/", lists.ageing, name="ageing"),
    path("quick/", lists.quick_line, name="quick"),
    path("parties/new/", parties.new, name="new_khata"),
    path("k/<slug:party_code>/", khata.khata, name="khata"),
    path("k/<slug:party_code>/pulse/", khata.pulse, name="pulse"),
    path("k/<slug:party_code>/edit/", parties.edit, name="edit"),
    path("k/<slug:party_code>/terms/", parties.terms, name="terms"),
    path("k/<slug:party_code>/archive/", parties.archive, name="archive"),
    path("k/<slug:party_code>/<direction:direction>/", khata.entry, name="entry"),
    path("k/<slug:party_code>/e/<int:position>/", khata.entry_detail, name="entry_detail"),
    path("k/<slug:party_code>/e/<int:position>/reverse/", khata.reverse_, name="reverse"),
]
