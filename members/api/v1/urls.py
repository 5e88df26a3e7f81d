from __future__ import annotations

from django.urls import path

from members.api.v1 import customers

app_name = "api-members"

urlpatterns = [
    path("customers", customers.Customers.as_view(), name="customers"),
    path("customers/<uuid:customer_id>", customers.OneCustomer.as_view(), name="customer"),
]
