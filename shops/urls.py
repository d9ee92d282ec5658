from django.urls import path

from shops import views

app_name = "shops"
urlpatterns = [
    path("settings/", views.settings, name="settings"),
    path("members/", views.members, name="members"),
    path("members/<int:pk>/role/", views.role, name="role"),
    path("members/<int:pk>/revoke/", views.revoke, name="revoke"),
    path("activity/", views.activity, name="activity"),
]
