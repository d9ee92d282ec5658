"""Customers and suppliers, their consent, and finding them across scripts and spellings."""
