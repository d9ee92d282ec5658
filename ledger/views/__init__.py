"""Screens of the book: the home list, one khata, entries, parties."""
