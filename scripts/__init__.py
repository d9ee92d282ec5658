"""What `make` runs. Each file is one command; none is imported by the app."""
