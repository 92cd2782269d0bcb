"""`python -m sesam_audit` is the console command."""

from sesam_audit.cli import main

main()
