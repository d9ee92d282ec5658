import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from khata.guard import refuse_demo_data

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khata.settings")
application = get_wsgi_application()
if settings.PRODUCTION:
    refuse_demo_data()  # also for a gunicorn that was started without ``prepare``
