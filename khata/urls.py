"""Every address of the house. A shop's pages live under its code; strangers get 404 there."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from khata import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
    path("language/", views.set_language, name="set_language"),
    path("accounts/", include("khata.account_urls")),
    path("admin/", admin.site.urls),
    path("s/<slug:shop_code>/", include("shops.urls")),
    path("s/<slug:shop_code>/", include("ledger.urls")),
    path("s/<slug:shop_code>/", include("payments.urls")),
    path("s/<slug:shop_code>/", include("reminders.urls")),
    path("", include("payments.public_urls")),
    path("", include("home.urls")),
]

handler400 = views.bad_request
handler403 = views.forbidden
handler404 = views.not_found
handler429 = views.too_many  # allauth looks here
handler500 = views.server_error
