"""The project: settings, urls, middleware, checks, health. No rules of the trade."""
