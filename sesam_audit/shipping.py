"""A package that runs on a target, packed into one program for its bare Python's stdin."""

from __future__ import annotations

import functools
from pathlib import Path

_HEAD = '''\
"""sesam-audit's {package}, packed: each module of it as text, and an importer that finds them here.

{said}
"""

import sys
from importlib.machinery import ModuleSpec

SOURCES = {{}}
'''

# No importlib.abc or importlib.util: they would cost as much as the rest of the start.
_TAIL = '''

class Packed:
    """Finds the modules in this text; nothing is read from, or written to, a disk."""

    def find_spec(self, name, path=None, target=None):
        if name in SOURCES:
            return ModuleSpec(name, self, is_package=name == {name!r})
        return None

    def create_module(self, spec):
        return None

    def get_source(self, name):
        return SOURCES[name]

    def exec_module(self, module):
        name = module.__name__
        exec(compile(SOURCES[name], name.replace(".", "/") + ".py", "exec"), module.__dict__)


sys.meta_path.insert(0, Packed())

if "MARKER" in globals():
    from {name}.main import converse

    converse({arguments})
'''


@functools.cache
def program(package: str, *settings: str) -> bytes:
    """The package `agent` or `probe` as one text, for `bootstrap.program`.

    Its `main.converse` takes the settings: the agent's is the root below which everything lies that
    it looks at and changes, its own state directory included.
    """
    name = f"sesam_audit_{package}"
    sources = sorted(Path(__file__).with_name(package).glob("*.py"))
    modules = {path.stem: path.read_text("utf-8") for path in sources}
    said = modules["__init__"].split('"""')[1]
    parts = [_HEAD.format(package=package, said=said.strip())]
    for stem, text in modules.items():
        full = name if stem == "__init__" else f"{name}.{stem}"
        if "'''" in text or text.endswith("\\"):
            raise ValueError(f"{stem} cannot be packed as it is")
        parts.append(f"\nSOURCES[{full!r}] = r'''{text}'''\n")
    arguments = ", ".join(["MARKER", *map(repr, settings)])
    return "".join([*parts, _TAIL.format(name=name, arguments=arguments)]).encode()
