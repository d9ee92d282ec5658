"""Every setting, typed, from the environment. ``docs/operations.md`` explains each variable.

Two modes. In **demo** mode (the default) a fresh clone runs at once: secrets are made on the
first start and kept in ``var/``, messages go to the demo outbox, payments to the sandbox. In
**production** mode (``KHATA_MODE=production``) nothing is guessed: see ``khata/guard.py``.
"""

import sys
from pathlib import Path

from csp.constants import NONE, SELF
from environs import Env

from khata.guard import LOCAL_HOSTS, Setup, database_of, local_secret, own_folder, refuse_unsafe

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()

MODE: str = env.str("KHATA_MODE", "demo")
PRODUCTION = MODE == "production"
TESTING = "pytest" in sys.modules
VAR_DIR = own_folder(Path(env.str("KHATA_VAR", str(BASE_DIR / "var"))))

# --- secrets: from the environment in production, made once and kept in var/ elsewhere -------
DEBUG: bool = env.bool("DEBUG", False)
SECRET_KEY: str = env.str("SECRET_KEY", "") or local_secret(VAR_DIR, "secret-key", PRODUCTION)
DATA_KEYS: list[str] = env.list("KHATA_DATA_KEYS", []) or [local_secret(VAR_DIR, "data-key", PRODUCTION)]
LINK_KEYS: list[str] = env.list("KHATA_LINK_KEYS", []) or [local_secret(VAR_DIR, "link-key", PRODUCTION)]

# --- addresses --------------------------------------------------------------------------------
PORT: int = env.int("PORT", 8000)
BASE_URL: str = env.str("BASE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS: list[str] = [host.strip() for host in env.list("ALLOWED_HOSTS", [] if PRODUCTION else ["*"])]
CSRF_TRUSTED_ORIGINS: list[str] = [BASE_URL] if BASE_URL.startswith("https://") else []

# --- what is switched on ----------------------------------------------------------------------
SANDBOX_GATEWAY: bool = env.bool("KHATA_SANDBOX_GATEWAY", not PRODUCTION)
# Where the sandbox delivers its webhooks, should the worker not reach BASE_URL.
SANDBOX_HOOK_BASE: str = env.str("KHATA_SANDBOX_HOOK_BASE", BASE_URL).rstrip("/")
# How sign-in codes and messages leave: "demo" shows them on the outbox page, "email" uses SMTP.
CODE_CHANNEL: str = env.str("KHATA_CODE_CHANNEL", "" if PRODUCTION else "demo")
# Codes by email go to an email-to-SMS gateway: "{phone}@sms-gateway.example" ({phone} without the plus).
CODE_ADDRESS: str = env.str("KHATA_CODE_ADDRESS", "")
DEMO_OUTBOX: bool = env.bool("KHATA_DEMO_OUTBOX", not PRODUCTION)

INSTALLED_APPS = [
    "khata.apps.KhataConfig",
    "core.apps.CoreConfig",
    "shops",
    "parties",
    "ledger",
    "payments",
    "reminders",
    "home",
    "allauth",
    "allauth.account",
    "django_htmx",
    "django_q",
    "template_partials.apps.SimpleAppConfig",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "khata.middleware.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "khata.middleware.LanguageMiddleware",
    "khata.middleware.OneStepUpMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "khata.urls"
WSGI_APPLICATION = "khata.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_loaders = [
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "khata.context.page",
            ],
            "builtins": ["core.templatetags.khata", "template_partials.templatetags.partials"],
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    _loaders if DEBUG else [("django.template.loaders.cached.Loader", _loaders)],
                )
            ],
        },
    }
]

# --- database: SQLite is a real database here -------------------------------------------------
DATABASE_URL: str = env.str("DATABASE_URL", "")
_SQLITE = {
    # WAL lets readers read while one writes; FULL makes an acknowledged entry survive a power
    # cut; IMMEDIATE takes the write lock at BEGIN, so that a read inside it cannot go stale.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
        "PRAGMA recursive_triggers=ON; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY; "
        # Whose commit fills the log copies it back, with fsync, while a shopkeeper waits: the
        # background does that in its rests (core/db.py); 16 MB is for when nobody else does.
        "PRAGMA wal_autocheckpoint=4000;"
    ),
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
}
if DATABASE_URL:
    DATABASES = {"default": database_of(DATABASE_URL)}
else:
    DATABASES = {"default": {"ENGINE": "core.sqlite", "NAME": str(VAR_DIR / "khata.sqlite3")}}
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"] |= {"ENGINE": "core.sqlite", "OPTIONS": _SQLITE}
    # A test database in memory has one connection: real processes could not race on it.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(env.str("KHATA_TEST_DIR", str(VAR_DIR))) / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True  # PgBouncer in transaction mode
    # Statements are parsed and planned once per connection: a third less CPU for an entry. Behind a
    # pooler they are not (core/db.py).
    DATABASES["default"].setdefault("OPTIONS", {})
    DATABASES["default"]["OPTIONS"] |= {"server_side_binding": True, "prepare_threshold": 2}
# One connection per single-threaded process, kept; a pool pays off with threads. On SQLite opening
# one costs more than an entry, and closing the last one copies the whole WAL back, with fsync.
DATABASES["default"]["CONN_MAX_AGE"] = 600

# --- cache: shared by all processes, because rate limits live there ---------------------------
REDIS_URL: str = env.str("REDIS_URL", "")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": env.str("KHATA_CACHE_PREFIX", "khata"),
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "khata_cache",
            "OPTIONS": {"MAX_ENTRIES": 50_000},
        }
    }

# --- people -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "shops.User"
AUTHENTICATION_BACKENDS = ["khata.accounts.ActiveUserBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home:landing"
LOGOUT_REDIRECT_URL = "home:landing"
ACCOUNT_LOGOUT_REDIRECT_URL = "home:landing"
ACCOUNT_ADAPTER = "khata.accounts.PhoneAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGIN_METHODS = {"phone"}
ACCOUNT_SIGNUP_FIELDS = ["phone*", "password1"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 300
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PHONE_VERIFICATION_MAX_ATTEMPTS = 3
ACCOUNT_PHONE_VERIFICATION_TIMEOUT = 300
ACCOUNT_PHONE_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_REAUTHENTICATION_REQUIRED = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "login": "khata.account_forms.SignInForm",
    "signup": "khata.account_forms.SignUpForm",
    "request_login_code": "khata.account_forms.AskCodeForm",
    "confirm_login_code": "khata.account_forms.CodeForm",
    "verify_phone": "khata.account_forms.VerifyForm",
    "reauthenticate": "khata.account_forms.AgainForm",
    "change_password": "khata.account_forms.ChangePasswordForm",
    "set_password": "khata.account_forms.SetPasswordForm",
}
# "key" of a sign-in is the phone with the caller's address, so that a stranger who guesses uses up
# the stranger's tries, not the owner's. What a number may suffer in all stands in the "_phone"
# lines; a browser in which the person has signed in before stands outside those ("_device").
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/10m/key",
    "login_failed_phone": "30/h/key",
    "login_failed_device": "5/10m/key",
    "signup": "20/h/ip",
    "request_login_code": "30/h/ip,4/h/key",
    "request_login_code_phone": "12/h/key",
    "request_login_code_device": "6/h/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "change_phone": "3/h/user",
    "sign_up_code": "6/h/key",
    "sign_up_code_phone": "20/h/key",
    "sign_up_code_device": "6/h/key",
    # allauth's own count of the same codes knows the number alone; it stands behind ours.
    "verify_phone": "30/h/ip,30/h/key",
}
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}

SESSION_ENGINE = "khata.sessions"  # the database, found a little cheaper
SESSION_COOKIE_AGE = 60 * 60 * 24 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT: bool = env.bool("SECURE_SSL_REDIRECT", PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
# Both bind more than this installation: every other name under its domain, and a list in browsers
# that takes months to leave. Whoever runs it decides; Django's check would have both on.
SECURE_HSTS_INCLUDE_SUBDOMAINS: bool = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD: bool = env.bool("SECURE_HSTS_PRELOAD", False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_PROXY: bool = env.bool("KHATA_BEHIND_PROXY", False)
# How many proxies of ours add to X-Forwarded-For: rate limits count callers, not the proxy.
PROXY_COUNT: int = env.int("KHATA_PROXY_COUNT", int(BEHIND_PROXY))
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "khata.views.csrf_failed"

CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": [],
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# Ticks of one form. Collect shows fifty names a page; who scrolls further has “Remind all”, which
# sends no ticks. Beyond the bound nothing is read, and the page says so (errors/page.html, 413).
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

# --- languages --------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("hi", "हिन्दी")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "khata_language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Kolkata"

# --- static files -----------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
_HASHED = "whitenoise.storage.CompressedManifestStaticFilesStorage"
_PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _PLAIN if (DEBUG or TESTING) else _HASHED},
}
WHITENOISE_MAX_AGE = 31_536_000 if not DEBUG else 0

# --- messages out -----------------------------------------------------------------------------
EMAIL_HOST: str = env.str("EMAIL_HOST", "")
EMAIL_PORT: int = env.int("EMAIL_PORT", 587)
EMAIL_HOST_USER: str = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD: str = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_SSL: bool = EMAIL_PORT == 465  # TLS from the first byte (RFC 8314); else STARTTLS
EMAIL_USE_TLS: bool = (
    env.bool("EMAIL_USE_TLS", bool(EMAIL_HOST_USER) or (PRODUCTION and EMAIL_HOST not in LOCAL_HOSTS))
    and not EMAIL_USE_SSL
)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", "khata@localhost")

# --- worker: our rows, not the queue, decide what is tried again ------------------------------
Q_CLUSTER = {
    "name": "khata",
    "orm": "default",  # killed, the ORM broker loses nothing; the Redis one does (measured)
    "workers": env.int("KHATA_WORKERS", 1 if "sqlite" in DATABASES["default"]["ENGINE"] else 2),
    "timeout": 300,
    "retry": 360,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 250,
    "poll": 0.3,
    "bulk": 1,
    "label": "Worker",
    "log_level": "WARNING",
}

WEB_PROCESSES: int = env.int("WEB_CONCURRENCY", 3)  # read by khata/serving.py; here it is checked

# What a nudge runs (core/worker.py); "" leaves everything to the schedule.
WORKER_NUDGE: str = "" if TESTING else "reminders.tasks.tick_soon"

# --- logs: ids, never names, phones, tokens or codes ------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"scrub": {"()": "khata.logs.Scrub"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["scrub"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django-q": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "httpx": {"level": "WARNING"},
    },
}

refuse_unsafe(
    Setup(
        production=PRODUCTION,
        mode=MODE,
        debug=DEBUG,
        secrets={"SECRET_KEY": [SECRET_KEY], "KHATA_DATA_KEYS": DATA_KEYS, "KHATA_LINK_KEYS": LINK_KEYS},
        allowed_hosts=ALLOWED_HOSTS,
        base_url=BASE_URL,
        ssl_redirect=SECURE_SSL_REDIRECT,
        behind_proxy=BEHIND_PROXY,
        proxy_count=PROXY_COUNT,
        sandbox_gateway=SANDBOX_GATEWAY,
        demo_outbox=DEMO_OUTBOX,
        code_channel=CODE_CHANNEL,
        code_address=CODE_ADDRESS,
        email_host=EMAIL_HOST,
        email_is_sealed=EMAIL_USE_TLS or EMAIL_USE_SSL,
        q_cluster=Q_CLUSTER,
        database=DATABASES["default"],
    )
)
