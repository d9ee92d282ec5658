"""The shop's side of payments, under ``/s/<code>/``."""

from django.urls import path

from payments.views import shop

app_name = "payments"
urlpatterns = [
    path("payments/", shop.home, name="home"),
    path("payments/claims/<int:pk>/confirm/", shop.confirm_claim, name="confirm_claim"),
    path("payments/claims/<int:pk>/reject/", shop.reject_claim, name="reject_claim"),
    path("k/<slug:party_code>/link/", shop.link, name="link"),
    path("k/<slug:party_code>/link/make/", shop.make_link, name="make_link"),
    path("k/<slug:party_code>/link/revoke/", shop.revoke_link, name="revoke_link"),
    path("k/<slug:party_code>/link/rotate/", shop.rotate_link, name="rotate_link"),
]
