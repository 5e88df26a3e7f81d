from __future__ import annotations

from django.urls import path

from members.api.v1 import customers, jobs, merges

app_name = "api-members"

urlpatterns = [
    path("customers", customers.Customers.as_view(), name="customers"),
    path("customers/<uuid:customer_id>", customers.OneCustomer.as_view(), name="customer"),
    path("customers/<uuid:customer_id>/merge", merges.Merge.as_view(), name="customer-merge"),
    path(
        "customers/<uuid:customer_id>/merge/undo",
        merges.MergeUndo.as_view(),
        name="customer-merge-undo",
    ),
    path("jobs", jobs.Jobs.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>", jobs.OneJob.as_view(), name="job"),
]
