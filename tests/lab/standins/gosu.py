#!/usr/bin/python3
"""gosu: become the user with this number, then run the command."""

from __future__ import annotations

import os
import sys

number = int(sys.argv[1])
os.setgroups([])
os.setgid(number)
os.setuid(number)
os.execvp(sys.argv[2], sys.argv[2:])
