"""The options of a deployment: TOML, --set, and every way to get them wrong."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from sesam_audit.errors import UsageError
from sesam_audit.profile import Profile, Sizes, load

from .conftest import REPOSITORY
from .facts.certificate_maker import make

SIZES = [item.name for item in fields(Sizes)]


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
        ("proxy_credentials=a=b.txt", "proxy_credentials", "a=b.txt"),
        ("public_addresses=2001:DB8:0::7", "public_addresses", ("2001:db8::7",)),
        ("settled=0", "settled", 0.0),
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
        ("hardware.memroy=1", "hardware.memory"),
        ("hardware.cpu=4", "hardware.cpus"),
        ("hardwere.cpus=4", "hardware.cpus"),
        ("cpus=4", "hardware.cpus"),
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
        ("deadline = 1e300", "above zero and up to 3600"),
        ("deadline = 0", "is not a number above zero"),
        (f"deadline = 1{'0' * 400}", "deadline: "),
        ("settled = -1", "is not a number above zero"),
        ("settled = 1e300", "up to 86400"),
        ("[hardware]\ncpus = 1e30", "up to 65536"),
        ("[hardware]\ncpus = 0", "is not a number above zero"),
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


@pytest.mark.parametrize(
    "text", ["= 1", "x", "\0", "[hardware", "a = " + "[" * 100_000, "a = " + "9" * 5000]
)
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="is not valid TOML"):
        load(written(tmp_path, text))


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_bytes('node_domain = "é"'.encode("latin-1"))
    with pytest.raises(UsageError, match="is not valid TOML"):
        load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none.toml' cannot be read: No such file"):
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


@pytest.mark.parametrize(
    "proxy",
    [
        *("proxy:port", "proxy:99999", "proxy:0", "http://", "//:3128", "[::1", "a b:1"),
        *("ftp://p", "https://proxy:3128", "socks5://proxy:1080", "http://proxy:1/pac", "proxy?x"),
    ],
)
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


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ("node_domain=https://x/y", "a host name"),
        ("node_domain=node.example.org:443", "a host name"),
        ("node_domain=*.example.org", "a host name"),
        ("node_domain=192.0.2.7", "a host name"),
        ("node_domain=no de", "a host name"),
        ("dns_admin=it", "an e-mail address"),
        ("fluentbit_host=http://x", "a host"),
        ("fluentbit_host=logs.example.org:443", "a host"),
        ("public_addresses=foo", "an address"),
        ("public_addresses=192.0.2.0/24", "an address"),
        ("public_addresses=192.0.2.7, 192.0.2", "an address"),
        ("public_addresses=fe80::1%eth0", "an address"),
        ("client_networks=foo", "a network"),
        ("client_networks=10.0.0.0/8,10.0.0.0/33", "a network"),
        ("extra_destinations=foo:99999", "a destination"),
        ("extra_destinations=foo:0", "a destination"),
        ("extra_destinations=foo:", "a destination"),
        ("extra_destinations=2001:db8::5", "a destination"),
        ("extra_destinations=[192.0.2.7]:443", "a destination"),
        ("extra_destinations=http://a.example", "a destination"),
        ("extra_destinations=https://a.example/path", "a destination"),
        ("extra_destinations=https://", "a destination"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_what_to_write_is_said(
    setting: str, what: str
) -> None:
    with pytest.raises(
        UsageError, match=f"^{setting.partition('=')[0]}: .* is not {what}\\. "
    ) as no:
        load(None, [setting])
    assert no.value.remedy.startswith("Write ")


@pytest.mark.parametrize(
    "setting",
    [
        "node_domain=Node.Example.org.",
        "node_domain=sesam",
        "dns_admin=it@example.org",
        "fluentbit_host=192.0.2.7",
        "public_addresses=192.0.2.7,2001:db8::7",
        "client_networks=10.20.1.1/16,2001:db8::/32,10.0.0.1",
        "extra_destinations=a.example,a.example:8443,[2001:db8::5]:8443,192.0.2.7:80",
        "extra_destinations=https://a.example,https://a.example:5000,https://[2001:db8::5]:5000",
        "vantages=machine=internet,ssh://me@other",
    ],
)
def test_what_can_be_is_taken(setting: str) -> None:
    assert load(None, [setting]).changed()


def test_a_login_in_an_address_is_not_repeated() -> None:
    with pytest.raises(UsageError) as refusal:
        load(None, ["extra_destinations=https://me:secret@a.example"])
    assert "secret" not in str(refusal.value)


def test_a_vantage_that_is_no_host_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a host"):
        load(written(tmp_path, 'vantages = ["ssh://-oProxyCommand=x=internet"]'))


def test_passive_and_a_measurement_that_writes_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="passive and measure_storage exclude each other"):
        load(None, ["passive=true", "measure_storage=true"])


CERTIFICATE = make("Root", authority=True)
DAMAGED = CERTIFICATE.pem.replace(CERTIFICATE.pem.splitlines()[2], "AAAA")


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("public_roots", ""),
        ("public_roots", "not a PEM file"),
        ("public_roots", CERTIFICATE.public),
        ("public_roots", DAMAGED),
        ("public_roots", CERTIFICATE.pem + DAMAGED),
        ("license_public_key", "not a PEM file"),
        ("license_public_key", CERTIFICATE.pem),
        ("earlier", "{}"),
        ("earlier", "[" * 100_000),
        ("earlier", '{"schema": "sesam-audit/evidence/1"}'),
    ],
)
def test_a_file_that_holds_something_else_is_refused(
    tmp_path: Path, key: str, content: str
) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(UsageError, match=f"^{key}: .* does not hold .*: .") as refusal:
        load(None, [f"{key}={path}"])
    assert refusal.value.remedy.startswith("Name ")


def test_a_file_is_read_once_and_for_all(tmp_path: Path) -> None:
    path = tmp_path / "roots.pem"
    path.write_text(CERTIFICATE.pem)
    named = load(None, [f"public_roots={path}"]).public_roots
    path.unlink()

    assert (named, named.text) == (str(path), CERTIFICATE.pem)


def test_a_path_that_is_no_text_is_refused_in_everybodys_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="public_roots: 3 is not a str"):
        load(written(tmp_path, "public_roots = 3"))


def test_a_profile_that_never_ends_is_not_read() -> None:
    with pytest.raises(UsageError, match="too large to be one"):
        load(Path("/dev/zero"))


def test_the_profile_of_the_document_is_accepted_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    document = REPOSITORY / "docs" / "profile.md"
    (example,) = re.findall(
        r"```toml\n(certificates.*?)```", document.read_text("utf-8"), re.DOTALL
    )
    (tmp_path / "ca.pem").write_text(f"Főtanúsítvány\n{CERTIFICATE.pem}", "utf-8")
    (tmp_path / "key.pem").write_text(CERTIFICATE.public)
    (tmp_path / "last.json").write_text('{"schema": "sesam-audit/report/1"}')

    profile = load(written(tmp_path, example))

    assert profile.settled == 0
    named = set(re.findall(r"(?m)^(\w+) =", example))
    assert named == {*(x.name for x in fields(Profile) if x.name != "hardware"), *SIZES}


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


def test_a_role_that_was_not_declared_is_not_one_of_nobody() -> None:
    profile = load(None, ["vantages=ssh://a,ssh://b=none,ssh://c=clients"])
    declared = load(None, ["auditor_stands_for=none"])

    assert profile.outside == (("ssh://a", "unset"), ("ssh://b", "none"), ("ssh://c", "clients"))
    assert (profile.auditor_stands_for, declared.auditor_stands_for) == ("unset", "none")
    assert declared.changed() == {"auditor_stands_for": "none"}


def test_what_should_be_closed_is_read_from_a_file_and_from_a_setting(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(
        'closed_destinations = ["example.com", "[2001:db8::9]:8443"]\nclosed_ports = [22]\n'
    )

    assert load(path).closed_destinations == ("example.com", "[2001:db8::9]:8443")
    assert load(path).closed_ports == (22,)
    assert load(None, ["closed_ports=22, 8080"]).closed_ports == (22, 8080)
    assert load(path).changed()["closed_ports"] == "22"


@pytest.mark.parametrize(
    "setting",
    [
        "closed_destinations=https://example.com/",
        "closed_destinations=example.com:0",
        "closed_destinations=example.com:99999",
        "closed_destinations=exam ple.com",
        "closed_ports=0",
        "closed_ports=65536",
        "closed_ports=ssh",
    ],
)
def test_a_slip_is_not_taken_for_something_closed(setting: str) -> None:
    with pytest.raises(UsageError, match="closed_"):
        load(None, [setting])
