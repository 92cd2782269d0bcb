"""Audit a machine for the self-hosted Sesam service."""

__version__ = "0.1.0"
REQUIREMENTS_VERSION = "2026-11-22"
