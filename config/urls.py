"""Every URL of the installation: one include for each interface of each application."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from campaigns.api.connections import receive_message
from config.mail_events import mail_event_urls
from config.url_trees import included
from loyalty.api.payments import payment_notice

# Sign-in to the repair pages goes through the same limits and second factor as everywhere else.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

# The domain: applications in the order of the import contract, each interface under its prefix.
domain: list[URLPattern | URLResolver] = [
    # First: programs ask most often, and each pattern before theirs is tried for nothing.
    path("api/v1/", include("loyalty.api.v1.urls")),
    path("api/v1/", include("rewards.api.v1.urls")),
    path("api/v1/", include("campaigns.api.v1.urls")),
    path("api/v1/", include("members.api.v1.urls")),
    # Last of its prefix: it answers whatever is not there.
    path("api/", include("members.api.urls")),
    path("", include("members.urls")),
    path("", include("rewards.urls")),
    path("", include("campaigns.urls")),
    path("payments/<slug:provider>/notices/", payment_notice, name="payment_notice"),
    path("wallet/apple/v1/", include("loyalty.api.pass_urls")),
    path("connections/<uuid:public_id>/", receive_message, name="connection_receive"),
    path("me/", include("loyalty.account.urls")),
    path("me/", include("rewards.account.urls")),
    path("me/", include("campaigns.account.urls")),
    path("programs/", include("loyalty.account.public_urls")),
    path("backoffice/", included("members.backoffice.urls")),
    path("backoffice/", included("loyalty.backoffice.urls")),
    path("backoffice/", included("rewards.backoffice.urls")),
    path("backoffice/", included("campaigns.backoffice.urls")),
]

urlpatterns: list[URLPattern | URLResolver] = [
    *domain,
    path("accounts/", include("members.account.urls")),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("backoffice/repair/", admin.site.urls),
]

# What a provider tells about mails that went out.
urlpatterns += mail_event_urls(settings.MAIL_PROVIDER, settings.ANYMAIL)

if settings.DEVELOPMENT:
    urlpatterns.append(path("dev/inbox/", include("config.devmail.urls")))
    urlpatterns.append(path("dev/phone/", include("config.devphone.urls")))
    urlpatterns.append(path("demo-shop/", include("config.demoshop.urls")))
