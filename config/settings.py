"""Django settings, from the environment only. docs/operations.md lists every variable."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from django.utils.translation import to_locale
from whitenoise.compress import Compressor

from config import api_description, keys, logs
from config.embedded.layout import Layout
from loyalty.wallet_passes.keys import apple_pass_keys, google_pass_keys

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("SETIA_VAR", default=str(BASE_DIR / "var")))
EMBEDDED = Layout.for_checkout(VAR_DIR)

# Without a database of its own this is somebody's machine, not a shop's server: local addresses
# only, no HTTPS, mail into the development inbox. DEBUG stays off in either unless asked for.
ENVIRONMENT = env.str(
    "SETIA_ENV",
    default="production" if env.str("DATABASE_URL", default="") else "development",
)
DEVELOPMENT = ENVIRONMENT == "development"
DEBUG = env.bool("DEBUG", default=False)

SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    if not DEVELOPMENT:
        raise ImproperlyConfigured("Set SECRET_KEY to a long random text (docs/operations.md).")
    SECRET_KEY = keys.secret_key(VAR_DIR / "secret-key")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEVELOPMENT else []
)
SITE_URL = env.str("SITE_URL", default=f"http://localhost:{env.str('PORT', default='8000')}")
CSRF_TRUSTED_ORIGINS = env.list(
    "CSRF_TRUSTED_ORIGINS",
    default=[SITE_URL] if SITE_URL.startswith("https://") else [],
)

# --- Applications -------------------------------------------------------------------------------

INSTALLED_APPS = [
    # Highest first, so that a higher application's templates and messages win.
    "campaigns",
    "rewards",
    "loyalty",
    "members",
    "config",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "csp",
    "anymail",
    "django_celery_beat",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "rest_framework",
    "template_partials",
]

MIDDLEWARE = [
    "config.health.HealthMiddleware",
    "config.metrics.MetricsMiddleware",
    "config.logs.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "members.api.middleware.ApiMiddleware",
    "config.staticfiles.PackingMiddleware"
    if DEVELOPMENT
    else "whitenoise.middleware.WhiteNoiseMiddleware",
    # Below what answers for itself, above whatever changes a page.
    "config.compression.CompressionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "members.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "members.origins.OriginMiddleware",
    "members.program_scope.ProgramScopeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "members.toasts.ToastMiddleware",
    "members.middleware.MerchantMiddleware",
    "members.read_once.ReadOnceMiddleware",
    "members.account.second_factor.SecondFactorMiddleware",
    "members.account.sign_in_notes.SignInMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "members.context_processors.shell",
            ],
        },
    }
]
FORM_RENDERER = "members.form_renderer.Renderer"

# --- Database, cache, background work -----------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=EMBEDDED.database_url)
}
DATABASES["default"] |= {
    "ATOMIC_REQUESTS": False,
    "ENGINE": "config.database",
    # Each thread keeps its connection and looks before use whether it is still there, since one
    # that the server has dropped would otherwise answer a request with an error.
    "CONN_MAX_AGE": env.int("DATABASE_MAX_AGE", default=600),
    "CONN_HEALTH_CHECKS": True,
}
# A socket folder is written %2Fpath%2Fto%2Ffolder in the URL.
DATABASES["default"]["HOST"] = unquote(DATABASES["default"]["HOST"])
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"] |= {"application_name": "setia"}
# A name of one's own lets two test runs share one server.
DATABASES["default"]["TEST"] = {"NAME": env.str("SETIA_TEST_DATABASE", default="test_setia")}

REDIS_URL = env.str("REDIS_URL", default="")
CACHE_URL = env.str("CACHE_URL", default=REDIS_URL or EMBEDDED.cache_url)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "setia",
        "TIMEOUT": 300,
    }
}

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=REDIS_URL or EMBEDDED.broker_url)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A task of a worker that died comes back after this time; every task is shorter, and idempotent.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "global_keyprefix": "setia:",
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 540
CELERY_TASK_SOFT_TIME_LIMIT = 480
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TIMEZONE = "UTC"

# --- People -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "members.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
# Unique by lower(email), which the check does not see: members.models.users.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "members.account.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "members.account.adapter.PasswordForm",
    "request_login_code": "members.account.adapter.CodeRequestForm",
    "reset_password": "members.account.adapter.NewPasswordForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
# The password is optional: whoever leaves it empty is sent a code.
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1"]
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
# Mail may be slow; a code is void after three wrong ones anyway.
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = 3
# Nobody signs up and nobody changes an address: a password is chosen by the link or after the code
# that was mailed to it, or given by whoever runs the server. So there is nothing left to prove when
# one signs in with it. Only a proved address is joined to a customer (members.services.sign_in).
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if DEVELOPMENT else "https"
# Lockout: five wrong passwords for one address, or ten from one place, and sign-in waits.
# So many forms of a program's public page from one place: more are not people.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip,5/5m/key", "join": "10/m/ip,60/h/ip", "social": "20/m/ip",
    "guest_play": "5/h/ip,20/d/ip",
}  # fmt: skip
# Providers and their secrets are kept by members.models.sign_in_providers, tokens by nobody.
SOCIALACCOUNT_ADAPTER = "members.account.social.SocialAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0 if DEVELOPMENT else 1)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Setia"
# A code of the half minute before or after counts: clocks of phones differ.
MFA_TOTP_TOLERANCE = 1

# Who may look round a freshly loaded demonstration; printed by `manage.py up`.
DEMO_PASSWORD = "setia-demo"
SETIA_DEMO_LOGINS = [
    ("administrator", "ada@setia.example", DEMO_PASSWORD),
    ("marketing manager", "mia@setia.example", DEMO_PASSWORD),
    ("support agent", "sam@setia.example", DEMO_PASSWORD),
    ("analyst", "lin@setia.example", DEMO_PASSWORD),
    ("auditor", "uma@setia.example", DEMO_PASSWORD),
]
SETIA_DEMO_CUSTOMER = "olivia.hart@example.com"
# The management command that fills an empty database under `manage.py up`, in development.
SETIA_DEMO_COMMAND = env.str("SETIA_DEMO_COMMAND", default="load_demo")

# --- Language and time --------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
KNOWN_LANGUAGES = [
    ("en", _("English")),
    ("ms", _("Malay")),
    ("zh-hans", _("Simplified Chinese")),
    ("zh-hant", _("Traditional Chinese")),
    ("el", _("Greek")),
]
# Offered are those into which everything is translated: half a page in each language helps nobody.
LANGUAGES = [
    (code, name)
    for code, name in KNOWN_LANGUAGES
    if code == LANGUAGE_CODE
    or (LOCALE_PATHS[0] / to_locale(code) / "LC_MESSAGES" / "django.mo").exists()
]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files -------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.staticfiles.NodePackageFinder",
]
NODE_MODULES = BASE_DIR / "node_modules"
# Fonts of documents on paper, prepared once; what is missing is made anew.
FONTS_DIR = VAR_DIR / "fonts"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEVELOPMENT
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEVELOPMENT
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Source maps are read by developers, one at a time: not worth minutes of compression.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
WHITENOISE_AUTOREFRESH = DEVELOPMENT
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"

# --- Security -----------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_ENGINE = "members.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
if not DEVELOPMENT:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=True)
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"

# --- Mail ---------------------------------------------------------------------------------------

DEVMAIL_DIR = VAR_DIR / "mail"
DEVMAIL_PORT = env.int("DEVMAIL_PORT", default=8025)
vars().update(env.email_url("EMAIL_URL", default=f"smtp://127.0.0.1:{DEVMAIL_PORT}"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="") or "Setia <no-reply@setia.example>"
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# A provider by its API in place of a mail server, as django-anymail names it: "postmark". Its keys
# are in ANYMAIL_…, as ANYMAIL_POSTMARK_SERVER_TOKEN.
MAIL_PROVIDER = env.str("MAIL_PROVIDER", default="")
if MAIL_PROVIDER:
    EMAIL_BACKEND = f"anymail.backends.{MAIL_PROVIDER}.EmailBackend"
ANYMAIL: dict[str, Any] = {
    name.removeprefix("ANYMAIL_"): value
    for name, value in env.ENVIRON.items()
    if name.startswith("ANYMAIL_")
}
ANYMAIL |= {"REQUESTS_TIMEOUT": EMAIL_TIMEOUT, "DEBUG_API_REQUESTS": False}
# Providers of text messages, WhatsApp and notifications as apprise writes them, until one is named
# on the screens: "twilio://SID:TOKEN@FROM/{to}".
CHANNEL_URLS = {
    "sms": env.str("SMS_URL", default=""),
    "whatsapp": env.str("WHATSAPP_URL", default=""),
    "push": env.str("PUSH_URL", default=""),
}
DEVPHONE_DIR = VAR_DIR / "phone"

# --- Figures that look at very many rows --------------------------------------------------------

# Milliseconds that they may take: before their page comes without them, and of whoever has the
# page and waits for them alone. What takes longer is worked out by a worker.
FIGURES_PATIENCE = (60, 900)

# --- API ----------------------------------------------------------------------------------------

# What one key may do in a minute; 0: no limit.
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=6_000)
# What one member may do with tokens in a minute, and what one address may ask of what is public.
MEMBER_REQUESTS_PER_MINUTE = env.int("MEMBER_REQUESTS_PER_MINUTE", default=240)
# Files with all that is known of a person, and erasing: of one key, apart from its other requests.
PRIVACY_REQUESTS_PER_MINUTE = env.int("PRIVACY_REQUESTS_PER_MINUTE", default=30)
PUBLIC_REQUESTS_PER_MINUTE = env.int("PUBLIC_REQUESTS_PER_MINUTE", default=600)
# The largest body: 500 orders in one request need more than a form does.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
# Of one file of an import: what is sent, and what it comes to when it is unpacked.
IMPORT_MOST_SENT = env.int("IMPORT_MOST_SENT", default=256 * 1024 * 1024)
IMPORT_MOST_BYTES = env.int("IMPORT_MOST_BYTES", default=1024 * 1024 * 1024)
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "members.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "members.api.problems.handle_exception",
}
SPECTACULAR_SETTINGS = api_description.SETTINGS

# --- Webhooks -------------------------------------------------------------------------------------

# Networks of the merchant's own that webhooks may reach, as 10.20.0.0/16; all others that are not
# of the net are refused. On a developer's machine that machine itself.
WEBHOOK_PRIVATE_NETWORKS = env.list(
    "WEBHOOK_PRIVATE_NETWORKS", default=["127.0.0.0/8", "::1/128"] if DEVELOPMENT else []
)
for _network in WEBHOOK_PRIVATE_NETWORKS:
    try:
        ip_network(_network)
    except ValueError as error:
        raise ImproperlyConfigured(f"WEBHOOK_PRIVATE_NETWORKS: {error}.") from error

# --- Payments of paid plans -----------------------------------------------------------------------

# by_hand: invoices, open until staff have seen the money; stripe: collected by Stripe.
PAYMENT_PROVIDER = env.str("PAYMENT_PROVIDER", default="by_hand")
if PAYMENT_PROVIDER not in ("by_hand", "stripe"):
    raise ImproperlyConfigured("PAYMENT_PROVIDER is by_hand or stripe (docs/operations.md).")
STRIPE_API_KEY = env.str("STRIPE_API_KEY", default="")
# What signs the notices that Stripe sends to /payments/stripe/notices/.
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="https://api.stripe.com")
if PAYMENT_PROVIDER == "stripe" and not (STRIPE_API_KEY and STRIPE_WEBHOOK_SECRET):
    raise ImproperlyConfigured("Set STRIPE_API_KEY and STRIPE_WEBHOOK_SECRET (docs/plans.md).")

# --- Passes for the wallets of phones -------------------------------------------------------------

# Paths. None of either: its button is not shown.
APPLE_PASSES = apple_pass_keys(
    certificate=env.str("APPLE_PASS_CERTIFICATE", default=""),
    key=env.str("APPLE_PASS_KEY", default=""),
    password=env.str("APPLE_PASS_KEY_PASSWORD", default=""),
    intermediate=env.str("APPLE_WWDR_CERTIFICATE", default=""),
    push_url=env.str("APPLE_PUSH_URL", default="https://api.push.apple.com"),
)
GOOGLE_PASSES = google_pass_keys(
    key=env.str("GOOGLE_WALLET_KEY", default=""),
    issuer=env.str("GOOGLE_WALLET_ISSUER", default=""),
    api_url=env.str(
        "GOOGLE_WALLET_API", default="https://walletobjects.googleapis.com/walletobjects/v1"
    ),
)

# --- Logs ---------------------------------------------------------------------------------------

LOGGING_CONFIG = "config.logs.configure"
# Whoever has it reads `/metrics`; without one there is no such address.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

LOGGING = logs.configuration(json=not DEVELOPMENT, level=env.str("LOG_LEVEL", default="INFO"))
