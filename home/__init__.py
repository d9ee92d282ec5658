"""Screens made of many apps: today, onboarding, more, the demo outbox. No models."""
