from django.urls import path

from config.devmail import views

app_name = "devmail"
urlpatterns = [
    path("", views.inbox_list, name="inbox_list"),
    path("clear/", views.inbox_clear, name="inbox_clear"),
    path("<str:name>/", views.inbox_message, name="inbox_message"),
    path("<str:name>/source/", views.inbox_source, name="inbox_source"),
]
