"""Faults of layout: user, directories and data disk."""

from __future__ import annotations

from ..perfect import STORE
from .fault import FAILED, UNKNOWN, Fault

LINK = "/sesam/node-00/data"
FSTAB = "/etc/fstab"
USERS = ("/etc/passwd", "/etc/group")
LETSENCRYPT = "/srv/data/traefik/letsencrypt"
UNMOUNTED = {"layout.data-mount": FAILED}


def _link(to: str) -> str:
    return f"ln -sfn {to} {LINK}; chown -h sesam:sesam {LINK}"


def _fstab(name: str, line: str, says: str = "", **changes: str) -> Fault:
    found = {f"layout.data-mount-{key}": value for key, value in changes.items()}
    seed = f'uuid=$(findmnt -no UUID /srv/data); echo "{line}" >{FSTAB}'
    return Fault(name=name, keep=(FSTAB,), seed=seed, changes=found, says=says)


USER = (
    Fault(
        name="a group of sesam with another number",
        keep=USERS,
        seed="groupmod --gid 1501 sesam",
        changes={"layout.user": FAILED},
        says="1501",
    ),
    Fault(
        name="a sesam at home elsewhere",
        keep=USERS,
        seed="usermod --home /var/lib/sesam sesam",
        changes={"layout.user": FAILED, "docker.registry-login": FAILED},
        says="/var/lib/sesam",
    ),
    Fault(
        name="no user sesam",
        keep=(*USERS, "/etc/shadow", "/etc/gshadow"),
        seed="userdel sesam",
        changes={
            "layout.user": FAILED,
            "layout.env": UNKNOWN,
            "license.file": UNKNOWN,
            "docker.registry-login": UNKNOWN,
        },
        says="no user sesam",
    ),
)

DIRECTORIES = (
    Fault(
        name="no directory for logs",
        keep=("/sesam/node-00/logs",),
        seed="rmdir /sesam/node-00/logs",
        changes={"layout.directories": FAILED},
        says="/sesam/node-00/logs",
    ),
    Fault(
        name="no directory for Let's Encrypt",
        keep=(LETSENCRYPT,),
        seed=f"rmdir {LETSENCRYPT}",
        changes={"layout.directories": FAILED},
    ),
    Fault(
        name="a data link that leads nowhere",
        keep=(LINK,),
        seed=_link("/srv/data/sesam/nowhere"),
        changes={"layout.data-link": FAILED},
        says="nowhere",
    ),
    Fault(
        name="a data link to itself",
        keep=(LINK,),
        seed=_link("data"),
        changes={"layout.data-link": FAILED},
        says="loop|itself",
    ),
    Fault(
        name="a data link to another directory",
        keep=(LINK,),
        seed=f"install -d -o sesam -g sesam /srv/data/other; {_link('/srv/data/other')}",
        mend="rm -r /srv/data/other",
        changes={"layout.data-link": FAILED},
        says="/srv/data/other",
    ),
    Fault(
        name="a file in place of the data link",
        keep=(LINK,),
        seed=f"rm {LINK}; install -o sesam -g sesam /dev/null {LINK}",
        changes={"layout.data-link": FAILED},
        says="file",
    ),
    Fault(
        name="no data link",
        keep=(LINK,),
        seed=f"rm {LINK}",
        changes={"layout.data-link": FAILED},
    ),
    Fault(
        name="a relative data link",
        keep=(LINK,),
        seed=_link("../../srv/data/sesam/node-00/data"),
    ),
    Fault(
        name="a stray link that the guide's second ln leaves",
        seed=f"ln -s {STORE} {LINK}; chown -h sesam:sesam {STORE}/data",
        mend=f"rm {STORE}/data",
        changes={"layout.stray-link": FAILED},
    ),
    Fault(
        name="a file of root in the store",
        seed=f"touch {STORE}/left-by-root",
        mend=f"rm {STORE}/left-by-root",
        changes={"layout.ownership": FAILED},
        says="left-by-root",
    ),
    Fault(
        name="a file of root behind a /sesam that is a link",
        seed="mv /sesam /opt/sesam; ln -s opt/sesam /sesam; touch /sesam/node-00/left-by-root",
        mend="rm /sesam /opt/sesam/node-00/left-by-root; mv /opt/sesam /sesam",
        changes={"layout.ownership": FAILED},
        says="left-by-root",
    ),
    Fault(
        name="the two trees' own directories of root, and one of another group",
        seed="chown root:root /srv/data /sesam; chgrp root /srv/data/traefik",
        mend="chown sesam:sesam /srv/data /sesam /srv/data/traefik",
        changes={"layout.ownership": FAILED},
        says="3 of .*/sesam root:root",
    ),
    Fault(
        name="a log of another group",
        seed="touch /sesam/node-00/logs/x; chown sesam:1000 /sesam/node-00/logs/x",
        mend="rm /sesam/node-00/logs/x",
        changes={"layout.ownership": FAILED},
    ),
    Fault(
        name="what Docker and Traefik make as root",
        seed="mkdir -p /srv/data/lost+found /sesam/fluentbit/data; "
        f"install -m 0600 /dev/null {LETSENCRYPT}/acme.json",
        mend=f"rm -r /sesam/fluentbit; rm {LETSENCRYPT}/acme.json",
    ),
    Fault(
        name="an acme.json that others may read",
        seed=f"install -m 0644 /dev/null {LETSENCRYPT}/acme.json",
        mend=f"rm {LETSENCRYPT}/acme.json",
        changes={"layout.acme-file": FAILED},
        says="0644",
    ),
)

DISK = (
    Fault(
        name="a data disk that is not mounted",
        seed="findmnt -no SOURCE /srv/data >/run/disk; losetup -l >/dev/null; "
        "cp -a /srv/data /run/below; umount /srv/data; cp -a /run/below/. /srv/data",
        mend="rm -rf /srv/data/* /srv/data/.env /run/below; mount $(cat /run/disk) /srv/data; "
        "rm /run/disk",
        changes=UNMOUNTED,
        says="nothing is mounted",
    ),
    Fault(
        name="a data disk mounted read-only",
        seed="mount -o remount,ro /srv/data",
        mend="mount -o remount,rw /srv/data",
        changes=UNMOUNTED,
        says="read-only",
    ),
    _fstab("a data disk that fstab forgets", "# nothing", "nothing mounts", boot=FAILED),
    _fstab(
        "a data disk that fstab says not to mount",
        "UUID=$uuid /srv/data ext4 noauto 0 2",
        "noauto",
        boot=FAILED,
    ),
    _fstab(
        "a data disk whose first line in fstab says not to mount",
        "UUID=$uuid /srv/data ext4 noauto 0 2\nUUID=$uuid /srv/data ext4 defaults 0 2",
        "noauto",
        boot=FAILED,
    ),
    _fstab(
        "a data disk whose second line in fstab says not to mount",
        "UUID=$uuid /srv/data ext4 defaults 0 2\nUUID=$uuid /srv/data ext4 noauto 0 2",
    ),
    _fstab(
        "another disk in fstab",
        "UUID=11111111-2222-4333-8444-555555555555 /srv/data ext4 defaults 0 2",
        "no disk has that name",
        boot=FAILED,
    ),
    _fstab(
        "a label in fstab that the disk does not bear",
        "LABEL=sesam-data /srv/data ext4 defaults 0 2",
        "has another name",
        boot=FAILED,
    ),
    _fstab(
        "a partition in fstab that the disk is not",
        "PARTUUID=aaaa-01 /srv/data ext4 defaults 0 2",
        "has another name",
        boot=FAILED,
    ),
    _fstab(
        "another type in fstab",
        "UUID=$uuid /srv/data xfs defaults 0 2",
        "says xfs for /srv/data, but what /dev/loop[0-9]+ holds is ext4",
        boot=FAILED,
    ),
    _fstab(
        "a volume in fstab that is not there",
        "/dev/mapper/vg-sesam /srv/data ext4 defaults 0 2",
        "no such device",
        boot=FAILED,
    ),
    _fstab(
        "a server in fstab in place of the disk",
        "nas:/x /srv/data nfs defaults 0 0",
        "is mounted now",
        boot=FAILED,
    ),
    _fstab(
        "a directory in fstab that is not there",
        "/mnt/disk/data /srv/data none bind 0 0",
        "binds /mnt/disk/data, which is not there",
        boot=FAILED,
    ),
    _fstab(
        "a line in fstab that breaks off",
        "UUID=$uuid /srv/data",
        "names no type",
        boot=FAILED,
    ),
    Fault(
        name="a data disk by its label, which udev does not show",
        keep=(FSTAB,),
        seed='disk=$(findmnt -no SOURCE /srv/data); e2label "$disk" sesam-data; '
        f'echo "LABEL=sesam-data /srv/data ext4 defaults 0 2" >{FSTAB}',
        mend='e2label "$(findmnt -no SOURCE /srv/data)" ""',
    ),
    Fault(
        name="a data disk by a name that moves",
        keep=(FSTAB,),
        seed='ln -s "$(findmnt -no SOURCE /srv/data)" /dev/sdb1; '
        f'echo "/dev/sdb1 /srv/data ext4 defaults 0 2" >{FSTAB}',
        mend="rm /dev/sdb1",
        changes={"layout.data-mount-order": FAILED},
        says="may move",
    ),
    _fstab(
        "a data disk that Docker does not wait for",
        "UUID=$uuid /srv/data ext4 defaults,nofail 0 2",
        "does not wait",
        order=FAILED,
    ),
    Fault(
        name="a data disk that Docker waits for",
        keep=(FSTAB, "/etc/systemd/system/docker.service.d"),
        seed="sed -i s/defaults/defaults,nofail/ /etc/fstab; "
        "mkdir -p /etc/systemd/system/docker.service.d; "
        "printf '[Unit]\\nRequiresMountsFor=/srv/data\\n'"
        " >/etc/systemd/system/docker.service.d/wait.conf",
    ),
)

FAULTS = (*USER, *DIRECTORIES, *DISK)
