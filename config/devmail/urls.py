from django.urls import URLPattern

app_name = "devmail"
urlpatterns: list[URLPattern] = []
