"""What strangers may reach: the customer's page by its token, the webhook's door, the sandbox."""

from django.urls import path

from payments.views import customer, hook, sandbox

app_name = "pay"
urlpatterns = [
    path("p/<str:token>/", customer.page, name="page"),
    path("p/<str:token>/claim/", customer.claim, name="claim"),
    path("p/<str:token>/checkout/", customer.checkout, name="checkout"),
    path("p/<str:token>/stop/", customer.stop, name="stop"),
    path("p/<str:token>/qr.svg", customer.qr_svg, name="qr_svg"),
    path("p/<str:token>/qr.png", customer.qr_png, name="qr_png"),
    path("p/<str:token>/receipt/<slug:reference>/", customer.receipt, name="receipt"),
    path("hooks/<slug:kind>/<slug:hook>/", hook.hook, name="hook"),
    path("sandbox/<slug:reference>/", sandbox.sandbox, name="sandbox"),
]
