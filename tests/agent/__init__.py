"""The agent on real file systems, and what becomes of it when it is killed."""
