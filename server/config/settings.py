"""All settings of the server, from the environment.

Embedded default (nothing set): SQLite under var/, an in-memory channel layer and broker, local secrets.
Production: DATABASE_URL (PostgreSQL), REDIS_URL, ALLOWED_HOSTS, SECRET_KEY and KEY_ENCRYPTION_KEYS; every
secret may also come from a file named by NAME_FILE.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from server.config.environment import BASE_DIR, env, secret, var_dir
from server.config.logs import logging_config

VAR_DIR = var_dir()
DATABASE_URL = env.str("DATABASE_URL", default="").strip()
REDIS_URL = env.str("REDIS_URL", default="").strip()
EMBEDDED = not DATABASE_URL and not REDIS_URL

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = secret("SECRET_KEY", folder=VAR_DIR, local=EMBEDDED)
# Comma-separated; the first seals, all open. Private role keys, advert keys and TOTP secrets rest under them.
KEY_ENCRYPTION_KEYS = secret("KEY_ENCRYPTION_KEYS", folder=VAR_DIR, local=EMBEDDED).split(",")

_LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=_LOCAL_HOSTS)
LOCAL_ONLY = DEBUG or set(ALLOWED_HOSTS) <= {*_LOCAL_HOSTS, "testserver"}
# Where new role keys that sign are kept: "database" (sealed) or "pkcs11" (a hardware security module).
ROLE_KEYS_KEPT_IN = env.str("ROLE_KEYS_KEPT_IN", default="database")
PKCS11_LIBRARY = env.str("PKCS11_LIBRARY", default="")
PKCS11_TOKEN = env.str("PKCS11_TOKEN", default="nyckelfri")
PKCS11_PIN = env.str("PKCS11_PIN", default="").strip()

# --- the product -----------------------------------------------------------------------------------------
MINIMUM_APP_VERSION = env.str("MINIMUM_APP_VERSION", default="1.0.0")
SHIFT_LEAD_MINUTES = env.int("SHIFT_LEAD_MINUTES", default=15)
GRACE_MINUTES = env.int("GRACE_MINUTES", default=30)
ISSUE_HORIZON_HOURS = env.int("ISSUE_HORIZON_HOURS", default=24)
MAX_SHIFT_HOURS = env.int("MAX_SHIFT_HOURS", default=24)
RETENTION_MONTHS = env.int("RETENTION_MONTHS", default=24)
# Whoever once had a right at a door can recognise its adverts until its key changes.
ADVERT_KEY_DAYS = env.int("ADVERT_KEY_DAYS", default=90)
ENROLMENT_CODE_MINUTES = env.int("ENROLMENT_CODE_MINUTES", default=15)
# A person at a browser must have a second factor; phones always must, whatever this says.
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=True)
# A lock that visited staff's phones have brought nothing from for so long is called dead.
LOCK_DEAD_AFTER_DAYS = env.int("LOCK_DEAD_AFTER_DAYS", default=3)
LIVE_PASSAGES_SHOWN = env.int("LIVE_PASSAGES_SHOWN", default=50)

# --- Django ----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "server.config.admin_app.NyckelfriAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # allauth's page of security keys speaks with it
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.headless",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "server.config",
    "server.tenancy",
    "server.keys",
    "server.people",
    "server.places",
    "server.care",
    "server.locks",
    "server.access",
    "server.passages",
    "server.alarms",
    "server.switches",
    "server.integrations",
    "server.audit",
    "server.privacy",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "server.config.middleware.StaticMiddleware",
    "server.config.middleware.UnkeptMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "server.config.middleware.SwedishFirstMiddleware",
    "django.middleware.common.CommonMiddleware",
    "server.config.middleware.ReadableInputMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "server.config.middleware.SecondFactorMiddleware",
    "server.config.middleware.MunicipalityScopeMiddleware",
]

ROOT_URLCONF = "server.config.urls"
ASGI_APPLICATION = "server.config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "server" / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- database, cache, channels, tasks --------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url_config(DATABASE_URL or f"sqlite:///{VAR_DIR / 'nyckelfri.sqlite3'}")
}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: eight writers gave 3 130 transactions a second and no lock error; DEFERRED gave thousands.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    _database["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    _database.setdefault("OPTIONS", {})
    if env.bool("DATABASE_POOL", default=True):
        _database["OPTIONS"]["pool"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # The layer waits in Redis for seconds at a time; the client's own time limit must not cut that short.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "prefix": "nyckelfri"},
    }
    if REDIS_URL
    else {"BACKEND": "server.config.channel_layer.ThreadSafeChannelLayer"}
}
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
# A memory broker is one process's own: only `serve`, which runs a worker beside itself, may queue into it.
CELERY_TASK_ALWAYS_EAGER = not REDIS_URL
# Redis tells a worker of work at once; in memory it has to look, once a second unless told otherwise.
CELERY_BROKER_TRANSPORT_OPTIONS = {} if REDIS_URL else {"polling_interval": 0.1}
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_POOL = "threads"
CELERY_TIMEZONE = "Europe/Stockholm"
CELERY_BEAT_SCHEDULE = {
    "issue-ahead": {"task": "access.issue_ahead", "schedule": timedelta(minutes=1)},
    "sweep-rights": {"task": "access.sweep", "schedule": timedelta(minutes=15)},
    "keep-up-with-locks": {"task": "locks.keep_up", "schedule": timedelta(minutes=10)},
    "build-bulletins": {"task": "locks.build_bulletins", "schedule": timedelta(seconds=30)},
    "alarms": {"task": "alarms.sweep", "schedule": timedelta(seconds=15)},
    "renew-switched": {"task": "switches.renew", "schedule": timedelta(minutes=1)},
    "settle-withdrawals": {"task": "care.settle_withdrawals", "schedule": timedelta(minutes=1)},
    "sweep": {"task": "passages.sweep", "schedule": timedelta(minutes=5)},
    "refresh-statistics": {"task": "config.refresh_statistics", "schedule": timedelta(hours=6)},
    "rotate-advert-keys": {"task": "locks.rotate_advert_keys", "schedule": timedelta(minutes=15)},
    "follow-manifests": {"task": "keys.follow", "schedule": timedelta(hours=1)},
    "shred": {"task": "privacy.sweep", "schedule": timedelta(hours=6)},
}

# --- language and time -----------------------------------------------------------------------------------
LANGUAGE_CODE = "sv"
LANGUAGES = [("sv", _("Swedish")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "server" / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["server.config.formats"]
TIME_ZONE = "Europe/Stockholm"
USE_TZ = True

# --- files -----------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns about a missing folder even when finders serve everything
STATICFILES_DIRS = [BASE_DIR / "server" / "config" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# A signed consent stays in memory until it is sealed; what is larger than it may be is refused anyway.
FILE_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024

# --- sign-in ---------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["server.people.backend.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/admin/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "server.people.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False  # the session ends with the browser; many sit at shared desks
ACCOUNT_FORMS = {"login": "server.people.accounts.LoginForm"}
# Shift starts bunch behind one address (7 000 phones in 15 minutes); guessing is limited per account.
ACCOUNT_RATE_LIMITS = {
    "login": env.str("LOGIN_RATE_LIMIT", default="600/m/ip"),
    "login_failed": env.str("LOGIN_FAILED_RATE_LIMIT", default="60/m/ip,5/5m/key"),
}
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
HEADLESS_CLIENTS = ("app",)
HEADLESS_SERVE_SPECIFICATION = True  # /_allauth/openapi.json: how a phone signs in
HEADLESS_SPECIFICATION_TEMPLATE_NAME = None  # its page would load scripts from a foreign host
MFA_ADAPTER = "server.people.accounts.SealingMFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOCAL_ONLY
MFA_TOTP_ISSUER = "Nyckelfri"
MFA_TOTP_TOLERANCE = 1

# Single sign-on for one municipality's own staff; nothing set, nothing offered.
OIDC_SERVER_URL = env.str("OIDC_SERVER_URL", default="").strip()
OIDC_MUNICIPALITY = env.str("OIDC_MUNICIPALITY", default="").strip()
OIDC_USERNAME_CLAIM = env.str("OIDC_USERNAME_CLAIM", default="preferred_username")
# Levels (acr) that include a second factor. Without any, single sign-on asks for one of our own besides.
OIDC_REQUIRED_ACR: list[str] = env.list("OIDC_REQUIRED_ACR", default=[])
SOCIALACCOUNT_ADAPTER = "server.people.single_sign_on.SingleSignOnAdapter"
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if OIDC_SERVER_URL:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "APPS": [
            {
                "provider_id": "municipality",
                "name": env.str("OIDC_NAME", default="kommunens inloggning"),
                "client_id": env.str("OIDC_CLIENT_ID"),
                "secret": env.str("OIDC_CLIENT_SECRET", default="").strip(),
                # A userinfo answer is not bound to the ID token by the library; the token alone counts.
                "settings": {"server_url": OIDC_SERVER_URL, "fetch_userinfo": False},
            }
        ],
        "OAUTH_PKCE_ENABLED": True,
    }

# Without a mail server nothing is sent and "forgotten password" is not offered.
MAIL_CONFIGURED = bool(env.str("EMAIL_URL", default=""))
vars().update(env.email_url("EMAIL_URL", default="dummymail://"))

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "NUM_PROXIES": TRUSTED_PROXIES,  # without it anybody names the address that is counted
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Nyckelfri",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

# --- security --------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = not LOCAL_ONLY
SECURE_HSTS_SECONDS = 0 if LOCAL_ONLY else 31_536_000
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # a browser's preload list is for the owner of the domain to join
SECURE_HSTS_INCLUDE_SUBDOMAINS = not LOCAL_ONLY
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not LOCAL_ONLY
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * env.int("SESSION_HOURS", default=12)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
X_FRAME_OPTIONS = "DENY"
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
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

LOGGING = logging_config(
    level=env.str("LOG_LEVEL", default="INFO"), json=env.bool("LOG_JSON", default=not LOCAL_ONLY)
)
