"""Tests of sesam-audit."""
