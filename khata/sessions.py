"""Sessions in the database, as Django's own, but for how one is found: every request reads one."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.contrib.sessions.models import Session
from django.utils import timezone

from core.prepared import Prepared

_BY_KEY = Prepared(lambda session_key: Session.objects.filter(session_key=session_key), session_key=str)


class SessionStore(DatabaseSessions):
    """Django's store; a session that has ended is no session, and gets a new key."""

    def _get_session_from_db(self) -> Any:
        session = _BY_KEY.first(session_key=self.session_key or "")
        if session is not None and session.expire_date > timezone.now():
            return session
        self._session_key = None
        return None
