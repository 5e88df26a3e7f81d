from django.urls import path

from config.devphone import views

app_name = "devphone"
urlpatterns = [
    path("", views.phone, name="phone"),
    path("clear/", views.phone_clear, name="phone_clear"),
    path("to/<slug:channel>/", views.phone_receive, name="phone_receive"),
]
