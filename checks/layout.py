"""layout: user, directories, data disk and the stack's files, as the guide lays them out."""

from __future__ import annotations

from sesam_audit.errors import Unknown
from sesam_audit.facts.account import SesamUser, UserIdOwner
from sesam_audit.facts.bind_sources import BindSources
from sesam_audit.facts.boot_mount import BootMount
from sesam_audit.facts.certificate_rules import days_left, inspect_certificates
from sesam_audit.facts.certificates import CertificateFiles
from sesam_audit.facts.data_directory import DataDirectory
from sesam_audit.facts.data_link import (
    StrayLink,
    inspect_agreement,
    inspect_link,
    inspect_no_link,
)
from sesam_audit.facts.data_mount import DataMount
from sesam_audit.facts.deployment import Deployment
from sesam_audit.facts.deployment_values import inspect_values
from sesam_audit.facts.directories import AcmeFile, Directories
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.networks import Networks
from sesam_audit.facts.ownership import Ownership
from sesam_audit.facts.shell_variables import ShellVariables
from sesam_audit.facts.stack_files import StackFiles
from sesam_audit.facts.traefik import TraefikConfig
from sesam_audit.facts.traefik_rules import inspect_traefik
from sesam_audit.judge import Now
from sesam_audit.profile import Profile
from sesam_audit.requirement import IMAGE, LIVE, MUST, PREFLIGHT, SHOULD, Found, requirement
from sesam_audit.wanted import HOME, NETWORKS

from .unless import unless_data_disk, unless_letsencrypt, unless_own_certificates

EVERY_STAGE = (IMAGE, PREFLIGHT, LIVE)
MOUNTED = "layout.data-mount"  # without it what lies below /srv/data is not what will lie there
FILES = "Guide, File structure"
SETUP = "Guide, Environment Setup"
DOCKER = "Guide, Docker Setup"
SHOW_DOMAIN = "sudo grep NODE_DOMAIN /srv/data/.env"
CERTIFICATES = 'Guide, Inbound firewall rules: "bring your own certificate or use a self-signed"'


def _settle(inspection: Inspection, found: Found) -> None:
    """A proved problem fails, a doubt leaves it unknown, else it passes."""
    for note in inspection.notes:
        found.note(note)
    assert not inspection.problems, "; ".join(inspection.problems)
    if inspection.unknown:
        raise inspection.unknown


@requirement(
    source=f'{SETUP}: "A `sesam` user on the virtual machine"; the stack chowns to USER_ID:USER_ID',
    level=MUST,
    stages=EVERY_STAGE,
    apply_mends=True,
)
def check_user(sesam: SesamUser, found: Found) -> None:
    """User and group sesam exist, with the same number and the home /home/sesam.

    With a number that is free as user and as group, such as 1500:

        sudo groupadd -g 1500 sesam
        sudo useradd -m -d /home/sesam -u 1500 -g sesam sesam

    A sesam with different numbers or another home is changed, with the stack down:

        sudo groupmod -g 1500 sesam
        sudo usermod -u 1500 -g sesam -d /home/sesam -m sesam

    Afterwards its files keep the old number (layout.ownership), and so does USER_ID in .env.
    """
    assert sesam.exists, "there is no user sesam"
    found(f"user {sesam.uid}, group {sesam.gid}, home {sesam.home}")
    assert sesam.own_group is not None, "there is no group sesam"
    assert sesam.gid == sesam.own_group, f"the group of user sesam is {sesam.group}, not sesam"
    assert sesam.uid == sesam.gid, (
        f"user sesam has the number {sesam.uid}, group sesam has {sesam.gid}"
    )
    assert sesam.home.rstrip("/") == HOME, f"the home of sesam is {sesam.home}, not {HOME}"


@requirement(source=f"{FILES}; {SETUP}, 2 and 5", level=MUST, needs=(MOUNTED,), apply_mends=True)
def check_directories(directories: Directories, found: Found) -> None:
    """The directories of the guide exist.

    Once the data disk is mounted, and with Let's Encrypt:

        sudo mkdir -p /srv/data/sesam/node-00/data /sesam/node-00/logs /srv/data/traefik/letsencrypt

    On the root disk /sesam/node-00/data takes the place of the first one; with certificates of your
    own /srv/data/traefik/certs takes the place of the last.
    """
    _settle(directories.inspect(), found)


@requirement(
    source=f'{FILES}: "ln -s"; on the root disk "skip the symbolic link"',
    level=MUST,
    needs=(MOUNTED,),
    apply_mends=True,
)
def check_data_link(data: DataDirectory, profile: Profile, found: Found) -> None:
    """/sesam/node-00/data leads to the data disk, or is the store on the root disk.

    On a data disk, make the link:

        sudo ln -sfnT /srv/data/sesam/node-00/data /sesam/node-00/data

    Where a directory is in its place, it may hold a store: look into it, and move it aside first.

        sudo mv -T /sesam/node-00/data /sesam/node-00/data.old

    On the root disk, replace the link by a directory; what it leads to stays where it is:

        sudo unlink /sesam/node-00/data
        sudo install -d -o sesam -g sesam /sesam/node-00/data
    """
    inspect = inspect_link if profile.data == "datadisk" else inspect_no_link
    _settle(inspect(data), found)


@requirement(
    source=f"{SETUP}, 3: done after File structure it links twice",
    level=SHOULD,
    needs=(MOUNTED,),
    apply_mends=True,
)
def check_stray_link(stray: StrayLink) -> None:
    """The data directory holds no link `data` to itself.

    Remove it; unlink removes links, never a directory:

        sudo unlink /sesam/node-00/data/data
    """
    if stray.inside.doubt:
        raise stray.inside.doubt
    assert not stray.to_itself, f"{stray.inside.path} is a link to the directory it lies in"


@requirement(
    source="Product files: docker-compose.yaml mounts the data directory; Guide, License Key",
    level=MUST,
    needs=("layout.data-link", "layout.compose-file"),
    apply_mends=True,
)
def check_data_path(data: DataDirectory, found: Found) -> None:
    """Host, stack and license use the same data directory.

    In /srv/data/docker-compose.yml let sesam-node mount that directory. On a data disk:

        - /srv/data/sesam/node-00/data:/sesam/data

    On the root disk:

        - /sesam/node-00/data:/sesam/data

    Then move a license.key that lies elsewhere there too, and start the stack with it:

        cd /srv/data && sudo docker compose up -d
    """
    found(data.path)
    _settle(inspect_agreement(data), found)


@requirement(
    source=f'{FILES}: "your datadisk is mounted at /srv/data"', level=MUST, when=unless_data_disk
)
def check_data_mount(mount: DataMount, found: Found) -> None:
    """A disk that lasts is mounted on /srv/data, writable.

    See which disk is meant, whether it has a file system, and what /etc/fstab says of it:

        lsblk -o NAME,SIZE,TYPE,FSTYPE,UUID,MOUNTPOINT
        grep /srv/data /etc/fstab

    Where a line names that disk, that is all:

        sudo mount /srv/data

    Where none does, only an empty disk needs a file system; mkfs erases what is there:

        sudo mkfs.ext4 /dev/DISK

    Then mount it, now and at boot, by the UUID that blkid shows. A line for /srv/data that names
    another disk is taken out first (sudoedit /etc/fstab), because systemd goes by the first one:

        sudo blkid /dev/DISK
        echo 'UUID=... /srv/data ext4 defaults 0 2' | sudo tee -a /etc/fstab
        sudo mkdir -p /srv/data
        sudo mount /srv/data

    Where the data is meant to lie on the root disk, say so: data = "rootdisk" in the profile.
    """
    if mount.mount:
        found(f"{mount.mount.source} ({mount.mount.fstype})")
    _settle(mount.inspect(), found)


@requirement(
    source="Engineering: after a reboot without it the node starts on an empty directory",
    level=MUST,
    stages=EVERY_STAGE,
    when=unless_data_disk,
)
def check_data_mount_boot(boot: BootMount, found: Found) -> None:
    """/srv/data is mounted again after a reboot.

    Take the disk's UUID, and add its line to /etc/fstab. A line for /srv/data that is there already
    is corrected instead (sudoedit /etc/fstab), because systemd goes by the first one. Then let it
    be verified:

        sudo blkid
        echo 'UUID=... /srv/data ext4 defaults 0 2' | sudo tee -a /etc/fstab
        sudo findmnt --verify
    """
    _settle(boot.inspect(), found)


@requirement(
    source="Engineering: disks change names, and Docker makes a directory of a missing mount",
    level=SHOULD,
    stages=EVERY_STAGE,
    needs=("layout.data-mount-boot",),
    when=unless_data_disk,
)
def check_data_mount_order(boot: BootMount, found: Found) -> None:
    """/srv/data is mounted by a lasting name, and before Docker starts.

    In /etc/fstab replace /dev/sdX by the UUID=... that blkid shows:

        sudo blkid
        sudoedit /etc/fstab

    With nofail, _netdev or an automount, let Docker wait for it:

        sudo systemctl edit docker.service

    and write there:

        [Unit]
        RequiresMountsFor=/srv/data
    """
    _settle(boot.inspect_order(), found)


@requirement(
    source=f'{SETUP}, 6: "Adjust ownership of directories to the sesam user"',
    level=MUST,
    needs=("layout.user", MOUNTED),
    apply_mends=True,
)
def check_ownership(ownership: Ownership, found: Found) -> None:
    r"""Everything below /srv/data and /sesam belongs to sesam:sesam.

    Hand over what belongs to others, but not what is Traefik's, the log shipper's or Docker's own:

        sudo find -H /srv/data /sesam -xdev \
          '(' -path /srv/data/traefik/letsencrypt -o -path /sesam/fluentbit \
          -o -path /srv/data/docker -o -path /srv/data/containerd \
          -o -name lost+found -o -name '.snapshot*' -o -name .zfs -o -name acme.json ')' -prune \
          -o '(' ! -user sesam -o ! -group sesam ')' -exec chown -h sesam:sesam '{}' +

    Where Docker keeps its own data elsewhere below /srv/data, first add a -path for it; chown over
    that destroys the images. With -ls in place of -exec and its words, it only shows them.
    """
    walk = ownership.walk
    found(walk.offenders, words=f"{{}} of {walk.entries} entries belong to others")
    _settle(ownership.inspect(), found)


@requirement(
    source=f'{DOCKER}, 1: "Place the docker-compose.yaml and .env files in /srv/data"',
    level=MUST,
    needs=("docker.compose", MOUNTED),
    apply_mends=True,
)
def check_compose_file(files: StackFiles, found: Found) -> None:
    """The compose file in /srv/data is Sesam's stack, with every variable set.

    See what compose makes of it:

        cd /srv/data && sudo docker compose config

    Start from the docker-compose.yaml that the guide offers, saved as /srv/data/docker-compose.yml,
    and give values in /srv/data/.env to what is reported as not set.
    """
    _settle(files.inspect(), found)


@requirement(
    source=f'{DOCKER}, 2: "Edit the .env file with the correct values"',
    level=MUST,
    needs=(MOUNTED,),
    apply_mends=True,
)
def check_env(  # noqa: PLR0913, PLR0917 - what values are compared with
    deployment: Deployment,
    shell: ShellVariables,
    sesam: SesamUser,
    owner: UserIdOwner,
    profile: Profile,
    found: Found,
) -> None:
    """/srv/data/.env holds real values, as they arrive in the stack.

    Edit it; uuidgen makes an APPLIANCE_ID, and id tells the USER_ID:

        uuidgen
        id -u sesam
        sudoedit /srv/data/.env

    SUBSCRIPTION_ID stands in the portal, SESAM_NODE_IMAGE_TAG is weekly-prod in production, and
    NODE_DOMAIN is the full name of this machine, such as node.example.org, without https://.
    """
    for text in shell.overriding(deployment.values):
        found.note(text)
    _settle(inspect_values(deployment, sesam, owner, profile), found)


@requirement(
    source="Product files: docker-compose.yaml, volumes",
    level=MUST,
    needs=("layout.compose-file",),
    apply_mends=True,
)
def check_bind_sources(sources: BindSources, found: Found) -> None:
    """Everything the stack mounts from the host has the type it needs.

    Docker makes a directory of a file that is missing. Take the stack down and remove that empty
    directory:

        cd /srv/data && sudo docker compose down
        sudo rmdir PATH

    Put the file there, then start the stack; a mere restart would keep the directory:

        cd /srv/data && sudo docker compose up -d
    """
    _settle(sources.inspect(), found)


@requirement(
    source=f'{DOCKER}, 3: "docker network create sesam", "docker network create microservices"',
    level=MUST,
    needs=("docker.engine",),
    apply_mends=True,
)
def check_networks(networks: Networks, found: Found) -> None:
    """The Docker networks sesam and microservices exist, and lead outside.

    Make the one that is missing:

        sudo docker network create sesam
        sudo docker network create microservices

    One of the wrong kind is removed first:

        sudo docker network rm NAME
    """
    for name in NETWORKS:
        same = networks.named(name)
        assert same, f"there is no network {name}"
        assert len(same) == 1, f"{len(same)} networks are called {name}, and Docker cannot choose"
        assert same[0].driver == "bridge", (
            f"the network {name} has the driver {same[0].driver}, not bridge"
        )
        assert not same[0].internal, f"the network {name} is internal: nothing leads outside"
    found(f"bridges {' and '.join(NETWORKS)}")


@requirement(
    source=CERTIFICATES,
    level=MUST,
    needs=(MOUNTED,),
    when=unless_own_certificates,
    apply_mends=True,
)
def check_certificates(
    files: CertificateFiles, deployment: Deployment, profile: Profile, now: Now, found: Found
) -> None:
    """The certificates are whole, in date and for NODE_DOMAIN, with their keys.

    Put the certificate, followed by those that signed it, and its key where traefik.yml names
    them. Close the key to others, and look at names and dates:

        sudo chmod 0600 KEY-FILE
        openssl x509 -in CERTIFICATE-FILE -noout -dates -ext subjectAltName
    """
    domain = deployment.value("NODE_DOMAIN")
    if not domain:
        raise Unknown("NODE_DOMAIN is not set (layout.env)", SHOW_DOMAIN)
    _settle(inspect_certificates(files, domain, now, profile), found)


@requirement(
    source="Engineering: 30 days to get new certificates",
    level=SHOULD,
    needs=("layout.certificates",),
    when=unless_own_certificates,
)
def check_certificates_soon(
    files: CertificateFiles, deployment: Deployment, now: Now, found: Found
) -> None:
    """The certificates are valid for more than 30 days.

    Put new certificates in place of the old ones, then restart Traefik:

        cd /srv/data && sudo docker compose restart traefik
    """
    left = days_left(files, deployment.value("NODE_DOMAIN"), now)
    assert found(round(left, 1), required="more than 30", unit="days", words="{} left") > 30


@requirement(
    source="Traefik's documentation: a configuration file excludes flags; tls is dynamic",
    level=MUST,
    needs=("layout.bind-sources",),
    when=unless_own_certificates,
    apply_mends=True,
)
def check_traefik_config(config: TraefikConfig, found: Found) -> None:
    """Traefik's real configuration serves the certificates and redirects to https.

    Complete /srv/data/traefik/traefik.yml, with the paths that certificate and key have in the
    container:

        entryPoints:
          web:
            address: ":80"
            http:
              redirections:
                entryPoint:
                  to: websecure
                  scheme: https
          websecure:
            address: ":443"
        providers:
          docker:
            exposedByDefault: false
          file:
            filename: /etc/traefik/traefik.yml
        tls:
          certificates:
            - certFile: CERTIFICATE-FILE
              keyFile: KEY-FILE
          stores:
            default:
              defaultCertificate:
                certFile: CERTIFICATE-FILE
                keyFile: KEY-FILE

    Then let Traefik read it:

        cd /srv/data && sudo docker compose up -d --force-recreate traefik
    """
    found(config.where, words="read from {}")
    _settle(inspect_traefik(config), found)


@requirement(
    source="Traefik's source: any access for group or others makes it drop the resolver",
    level=SHOULD,
    needs=(MOUNTED,),
    when=unless_letsencrypt("certificates = {}: Let's Encrypt is not used"),
)
def check_acme_file(acme: AcmeFile, found: Found) -> None:
    """Traefik's acme.json, once it is there, is for its owner alone.

    Close it to others, and restart Traefik, which had dropped it:

        sudo chmod 0600 /srv/data/traefik/letsencrypt/acme.json
        cd /srv/data && sudo docker compose restart traefik
    """
    _settle(acme.inspect(), found)
