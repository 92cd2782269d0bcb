"""A lab of real parts: hosts with systemd, sshd and dockerd, and an internet of their own."""
