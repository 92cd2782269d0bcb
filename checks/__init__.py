"""What is verified on a Sesam host, one module per category; installed as sesam_audit.checks."""
