"""Screens of rewards for tests: their addresses, what they say, the form of a reward."""

from django.urls import reverse

FORM = {
    "kind": "amount_off", "name": "5 off", "summary": "Off your next purchase", "price": "100",
    "amount": "5", "worth": "5", "cost": "4", "per_period": "ever",
}  # fmt: skip


def url(name, *args):
    return reverse(f"rewards_backoffice:{name}", args=args)


def text(response):
    return " ".join(response.content.decode().replace("\xa0", " ").split())
