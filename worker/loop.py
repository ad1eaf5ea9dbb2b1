"""Runs the worker beside the app."""


def start() -> None:
    """Begin."""


def stop() -> None:
    """End."""
