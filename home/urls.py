from django.urls import path

from home import outbox, views

app_name = "home"
urlpatterns = [
    path("", views.landing, name="landing"),
    path("start/", views.start, name="start"),
    path("s/<slug:shop_code>/more/", views.more, name="more"),
    path("outbox/", outbox.codes, name="codes"),
    path("s/<slug:shop_code>/outbox/", outbox.outbox, name="outbox"),
    path("s/<slug:shop_code>/upi/", views.upi, name="upi"),
]
