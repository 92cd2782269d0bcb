"""Tests of the auditor's side of apply."""
