"""The host's routes and packet sizes."""

from __future__ import annotations

from sesam_audit.asks import File, FileAnswer, Files, FilesAnswer
from sesam_audit.facts.routes import Route, Routes

from .bare import Given, find, read, unknown

V4, V6 = File("/proc/net/route", 262_144), File("/proc/net/ipv6_route", 262_144)
HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


def table(*lines: str, v6: str = "") -> Given:
    return {V4: FileAnswer(text=HEAD + "\n".join(lines)), V6: FileAnswer(text=v6)}


def test_routes_of_a_real_host() -> None:
    answers = {
        V4: FileAnswer(text=read("docker/route.txt")),
        V6: FileAnswer(text=read("docker/ipv6_route.txt")),
        Files("/sys/class/net/*/mtu"): FilesAnswer(files={"/sys/class/net/eth0/mtu": "1500\n"}),
    }

    found = find(Routes, answers)

    assert found.default == Route("0.0.0.0/0", "eth0", on_link=False)
    assert found.routes[1] == Route("10.213.1.0/24", "eth0")
    assert [each.device for each in found.routes[2:]] == [
        *("docker0", "br-117d80e638b4", "br-d36eb48abc28")
    ]
    assert found.mtus == {"eth0": 1500}


def test_the_lowest_metric_is_the_default() -> None:
    found = find(
        Routes,
        table(
            "wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0",
            "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
        ),
    )

    assert found.default is not None
    assert found.default.device == "eth0"


def test_only_ipv6_has_a_default() -> None:
    line = f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 27}1 00000400 00000001 00000000 00000003 eth0"

    assert find(Routes, table(v6=line)).default == Route("::/0", "eth0", on_link=False, metric=1024)


def test_no_default_route() -> None:
    assert find(Routes, table()).default is None


def test_refused_and_loopback_routes_do_not_count() -> None:
    lines = (
        "eth0\t00000A0A\t00000000\t0201\t0\t0\t0\t0000FFFF\t0\t0\t0",
        "lo\t0000007F\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0",
    )

    assert find(Routes, table(*lines)).routes == ()


def test_no_table() -> None:
    assert "could not be read" in unknown(Routes)
