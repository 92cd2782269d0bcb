"""The options of a deployment: TOML, --set, and every way to get them wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sesam_audit.errors import UsageError
from sesam_audit.profile import Profile, load


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "profile.toml"
    path.write_text(text)
    return path


def test_without_a_file_the_guides_sizes_hold() -> None:
    profile = load(None)
    assert (profile.hardware.cpus, profile.hardware.memory) == (4, 16 * 10**9)
    assert profile.hardware.data_partition == 350 * 10**9


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    profile = load(
        written(tmp_path, 'certificates = "provided"\n[hardware]\nmemory = "8 GiB"\ncpus = 2\n')
    )
    assert profile.certificates == "provided"
    assert (profile.hardware.memory, profile.hardware.cpus) == (8 * 2**30, 2)
    assert profile.hardware.data_partition == Profile().hardware.data_partition


def test_set_wins_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, 'data = "rootdisk"\n')
    assert load(path, ["data=datadisk"]).data == "datadisk"


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("node_domain=sesam.example.org", "node_domain", "sesam.example.org"),
        ("deadline=2.5", "deadline", 2.5),
        ("public_addresses=192.0.2.1, 192.0.2.2", "public_addresses", ("192.0.2.1", "192.0.2.2")),
        ("public_addresses=", "public_addresses", ()),
        ("measure_storage=true", "measure_storage", True),
        ("measure_storage=False", "measure_storage", False),
        ("node_domain=a=b.example.org", "node_domain", "a=b.example.org"),
    ],
)
def test_set_reads_a_value_as_its_keys_kind(setting: str, key: str, value: object) -> None:
    assert getattr(load(None, [setting]), key) == value


@pytest.mark.parametrize("text", ["16 GB", "16000000000"])
def test_set_reaches_into_tables(text: str) -> None:
    assert load(None, [f"hardware.memory={text}"]).hardware.memory == 16 * 10**9


@pytest.mark.parametrize(
    ("setting", "nearest"),
    [
        ("certificate=provided", "certificates"),
        ("nodedomain=x", "node_domain"),
        ("hardware.memroy=1", "memory"),
        ("sesam_destination=ips", "sesam_destinations"),
    ],
)
def test_an_unknown_key_names_the_nearest(setting: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=f"no key .* Did you mean '{nearest}'"):
        load(None, [setting])


def test_an_unknown_key_near_nothing_shows_them_all() -> None:
    with pytest.raises(UsageError, match="Known keys: certificates, data"):
        load(None, ["zzzzzzzz=1"])


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('certificates = "none"', "'none' is not one of letsencrypt, provided, self-signed"),
        ("certificates = 1", "is not one of"),
        ("certificates = []", "is not one of"),
        ("node_domain = 5", "is not a str"),
        ("public_addresses = 5", "is not a list of texts"),
        ("public_addresses = [5]", "is not a list of texts"),
        ('deadline = "soon"', "could not convert"),
        ("deadline = -1", "is not a number above zero"),
        ("deadline = nan", "is not a number above zero"),
        ("deadline = inf", "is not a number above zero"),
        ("deadline = true", "is not a float"),
        ("measure_storage = 1", "is not a bool"),
        ("hardware = 4", "'hardware' is a table"),
        ("[hardware]\ncpus = 4.5", "is not a whole number"),
        ("[hardware]\ncpus = true", "is not a int"),
        ("[hardware]\ncpus = []", "hardware.cpus"),
        ('[hardware]\nmemory = "much"', "is not a size"),
        ("[hardware]\nmemory = true", "is not a Size"),
        ("[hardware]\nmemory = []", "is not a size"),
        (f'[hardware]\nmemory = "{"9" * 400}"', "is not a size"),
        ("[hardware.cpus]\nx = 1", "hardware.cpus"),
    ],
)
def test_a_value_of_a_wrong_kind_is_refused(tmp_path: Path, toml: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load(written(tmp_path, toml))


@pytest.mark.parametrize("text", ["= 1", "x", "\0", "[hardware", "a = " + "[" * 100_000])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="is not valid TOML"):
        load(written(tmp_path, text))


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_bytes('node_domain = "é"'.encode("latin-1"))
    with pytest.raises(UsageError, match="is not valid TOML"):
        load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none.toml cannot be read: No such file"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize("setting", ["node_domain", "", "=x"])
def test_a_setting_without_key_or_value_is_refused(setting: str) -> None:
    with pytest.raises(UsageError):
        load(None, [setting])


@pytest.mark.parametrize(
    "proxy",
    [
        "http://user:secret@proxy:3128",
        "user:secret@proxy:3128",
        "http://user@proxy:3128",
        "http://user:sec/ret@proxy:3128",
        "http://user:80/secret@proxy:3128",
        "http://user:80?secret@proxy:3128",
    ],
)
def test_a_password_in_the_proxy_is_refused_and_not_repeated(proxy: str) -> None:
    with pytest.raises(UsageError, match="proxy_credentials") as refusal:
        load(None, [f"proxy={proxy}"])
    assert "ret" not in str(refusal.value)


@pytest.mark.parametrize("proxy", ["proxy:port", "proxy:99999", "http://", "//:3128", "[::1"])
def test_a_proxy_that_is_no_address_is_refused(proxy: str) -> None:
    with pytest.raises(UsageError, match="is not HOST:PORT"):
        load(None, [f"proxy={proxy}"])


@pytest.mark.parametrize(
    ("proxy", "address"),
    [
        ("proxy:8080", ("proxy", 8080)),
        ("http://proxy:8080", ("proxy", 8080)),
        ("http://proxy:8080/", ("proxy", 8080)),
        ("proxy", ("proxy", 3128)),
        ("http://[2001:db8::1]:3128", ("2001:db8::1", 3128)),
        ("", None),
    ],
)
def test_the_proxys_address(proxy: str, address: tuple[str, int] | None) -> None:
    assert load(None, [f"proxy={proxy}"]).proxy_address == address


@pytest.mark.parametrize("key", ["public_roots", "license_public_key"])
def test_a_file_that_a_key_names_must_exist(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageError, match=f"{key}: there is no file"):
        load(None, [f"{key}={tmp_path / 'none.pem'}"])


def test_what_differs_from_the_defaults_is_told() -> None:
    profile = load(None, ["data=rootdisk", "hardware.memory=8 GB", "public_addresses=192.0.2.1"])
    assert profile.changed() == {
        "data": "rootdisk",
        "hardware.memory": "8 GB",
        "public_addresses": "192.0.2.1",
    }


def test_lowered_sizes_are_told_in_a_sentence() -> None:
    assert load(None, ["hardware.cpus=2"]).lowered() == (
        "Sizes lowered by the profile: cpus 2 instead of 4"
    )


def test_raised_sizes_are_not_called_lowered() -> None:
    assert not load(None, ["hardware.cpus=8"]).lowered()
