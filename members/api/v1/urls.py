from __future__ import annotations

from django.urls import path

from members.api.v1 import (
    customers,
    jobs,
    me,
    member_tokens,
    merges,
    privacy,
    profile_questions,
    segments,
)

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
    path(
        "customers/<uuid:customer_id>/data-packages",
        privacy.DataPackages.as_view(),
        name="data-packages",
    ),
    path(
        "customers/<uuid:customer_id>/data-packages/<uuid:package_id>",
        privacy.OneDataPackage.as_view(),
        name="data-package",
    ),
    path("customers/<uuid:customer_id>/erasure", privacy.Erasure.as_view(), name="erasure"),
    path(
        "customers/<uuid:customer_id>/segments",
        segments.CustomerSegments.as_view(),
        name="customer-segments",
    ),
    path(
        "profile-questions",
        profile_questions.ProfileQuestions.as_view(),
        name="profile-questions",
    ),
    path("segments", segments.Segments.as_view(), name="segments"),
    path("segment-previews", segments.SegmentPreview.as_view(), name="segment-previews"),
    path("segments/<slug:code>", segments.OneSegment.as_view(), name="segment"),
    path("segments/<slug:code>/members", segments.SegmentMembers.as_view(), name="segment-members"),
    path(
        "segments/<slug:code>/members/<uuid:customer_id>",
        segments.OneSegmentMember.as_view(),
        name="segment-member",
    ),
    path("member-tokens", member_tokens.MemberTokens.as_view(), name="member-tokens"),
    path(
        "member-tokens/revoke",
        member_tokens.MemberTokensRevocation.as_view(),
        name="member-tokens-revoke",
    ),
    path("tier-badges", member_tokens.TierBadges.as_view(), name="tier-badges"),
    path("me/data-packages", privacy.OwnDataPackages.as_view(), name="own-data-packages"),
    path(
        "me/data-packages/<uuid:package_id>",
        privacy.OneOwnDataPackage.as_view(),
        name="own-data-package",
    ),
    path("me", me.Me.as_view(), name="me"),
    path("jobs", jobs.Jobs.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>", jobs.OneJob.as_view(), name="job"),
]
