import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection

from khata.guard import refuse_wrong_database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khata.settings")
application = get_wsgi_application()
refuse_wrong_database(production=settings.PRODUCTION)  # also for a gunicorn that was started without ``prepare``
connection.close()  # gunicorn forks after this, and a connection must not be shared
