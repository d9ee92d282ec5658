"""Django's SQLite backend with an even-handed wait for the write lock (see base.py)."""
