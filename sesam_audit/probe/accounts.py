"""Who answers, and the accounts of this machine."""

import functools
import grp
import os
import pwd
import socket
import sys
import time


def myself(ask):
    return {
        "uid": os.geteuid(),
        "user": user_name(os.geteuid()),
        "login": os.environ.get("SUDO_USER", ""),
        "groups": group_names({os.getegid(), *os.getgroups()}),
        "hostname": socket.gethostname(),
        "kernel": os.uname().release,
        "machine": os.uname().machine,
        "python": sys.version_info[:3],
        "time": time.time(),
    }


def account(ask):
    name = ask["name"] or os.environ.get("SUDO_USER", "") or str(os.geteuid())
    name = user_name(int(name)) if name.isdigit() else name
    try:
        own_group = grp.getgrnam(name).gr_gid
    except KeyError:
        own_group = None
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return {"error": "ENOENT", "own_group": own_group}
    return {
        "name": found.pw_name,
        "uid": found.pw_uid,
        "gid": found.pw_gid,
        "group": group_name(found.pw_gid),
        "home": found.pw_dir,
        "groups": group_names({*os.getgrouplist(name, found.pw_gid)} - {found.pw_gid}),
        "own_group": own_group,
    }


@functools.lru_cache(maxsize=None)
def user_name(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


@functools.lru_cache(maxsize=None)
def group_name(gid):
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""


def group_names(gids):
    return [group_name(gid) or str(gid) for gid in sorted(gids)]
