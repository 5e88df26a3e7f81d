"""What the merchant has settled about what members look at."""

from __future__ import annotations

from campaigns.models import BrowsingPolicy


def get_browsing_policy() -> BrowsingPolicy:
    """The one policy; nothing is kept until somebody says so."""
    return BrowsingPolicy.objects.filter(pk=1).first() or BrowsingPolicy(pk=1)
