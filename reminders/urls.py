"""Asking and confirming, under ``/s/<code>/``."""

from django.urls import path

from reminders import views

app_name = "reminders"
urlpatterns = [
    path("collect/", views.collect, name="collect"),
    path("collect/run/", views.start_run, name="start_run"),
    path("collect/run/<int:pk>/", views.run, name="run"),
    path("collect/run/<int:pk>/stop/", views.stop_run, name="stop_run"),
    path("k/<slug:party_code>/remind/", views.remind, name="remind"),
    path("k/<slug:party_code>/remind/tapped/", views.tapped, name="tapped"),
    path("messages/", views.message_list, name="messages"),
    path("messages/<int:pk>/<slug:what>/", views.decide, name="decide"),
    path("rules/", views.rules, name="rules"),
    path("rules/new/", views.rule, name="new_rule"),
    path("rules/<int:pk>/", views.rule, name="rule"),
    path("rules/<int:pk>/switch/", views.switch_rule, name="switch_rule"),
]
