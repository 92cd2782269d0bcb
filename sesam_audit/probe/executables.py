"""Where programs are found, and the home of who runs them."""

import os
import pwd

from .reading import raw

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"


def which(program):
    return any(map(runs, programs(program)))


def programs(program):
    return [os.path.join(each, program) for each in PATH.split(":")]


def runs(path):
    return os.path.isfile(raw(path)) and os.access(raw(path), os.X_OK)


def home():
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return "/"
