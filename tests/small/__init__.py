"""The command over a small catalogue, whose outcomes a test decides by writing words to files."""
