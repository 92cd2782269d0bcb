"""What can be asked, which function answers it, and what kind of work it is."""

import importlib

SLOW = {
    "Walk",
    "Fsync",
    "Compose",
    "ComposeVersion",
    "PrivateKey",
    "Run",
    "DockerApi",
    "Lookup",
    "Dial",
    "Pull",
    "Listen",
}
PROGRAMS = {"Compose", "ComposeVersion", "Run"}  # they take longest, beside everything else
LOOKS = {"Listeners", "DockerApi", "Run"}  # these see the room of an audit that has just ended
ROOM_WAITS = SLOW - LOOKS  # these see the machine with or without a room
SECRET = {"LicenseFile", "DockerConfig", "EnvFile", "Compose", "PrivateKey", "DockerApi", "Pull"}

ANSWERS = {
    "Listen": "listening.listening",
    "Self": "accounts.myself",
    "Account": "accounts.account",
    "File": "files.file",
    "Files": "files.files",
    "Names": "files.names",
    "Stat": "files.stat",
    "Space": "files.space",
    "Walk": "walk.walk",
    "Fsync": "files.fsync",
    "LicenseFile": "license.license_file",
    "DockerConfig": "docker_config.docker_config",
    "EnvFile": "env_file.env_file",
    "Compose": "compose.compose",
    "ComposeVersion": "compose.compose_version",
    "Certificates": "certificates.certificates",
    "PrivateKey": "certificates.private_key",
    "Run": "programs.run",
    "DockerApi": "docker_api.docker_api",
    "Listeners": "listeners.listeners",
    "Lookup": "lookup.lookup",
    "Dial": "dial.dial",
    "Pull": "pull.pull",
    "Roots": "tls.roots",
}


def answering(kind):
    """The function that answers; a module that no question needs is not even compiled."""
    module, _, name = ANSWERS.get(kind, "vocabulary.unsupported").partition(".")
    return getattr(importlib.import_module("." + module, __package__), name)


def unsupported(ask):
    return {"error": "UNSUPPORTED"}
