"""The agent's modules, packed into one program that a target's bare Python runs from stdin."""

from __future__ import annotations

from pathlib import Path

AGENT = Path(__file__).with_name("agent")

_HEAD = '''\
"""sesam-audit's agent, packed: each module of it as text, and an importer that finds them here.

{said}
"""

import importlib.abc
import importlib.util
import sys

SOURCES = {{}}
'''

_TAIL = '''

class Packed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules in this text; nothing is read from, or written to, a disk."""

    def find_spec(self, name, path=None, target=None):
        if name in SOURCES:
            package = name == "sesam_audit_agent"
            return importlib.util.spec_from_loader(name, self, is_package=package)
        return None

    def create_module(self, spec):
        return None

    def get_source(self, name):
        return SOURCES[name]

    def exec_module(self, module):
        name = module.__name__
        exec(compile(SOURCES[name], name.replace(".", "/") + ".py", "exec"), module.__dict__)


if "MARKER" in globals():
    sys.meta_path.insert(0, Packed())
    from sesam_audit_agent.main import converse

    converse(MARKER, {root!r})
'''


def program(root: str = "/") -> bytes:
    """The agent as one text, for `bootstrap.program`.

    Everything it looks at and changes lies below `root`, its own state directory included.
    """
    modules = {path.stem: path.read_text("utf-8") for path in sorted(AGENT.glob("*.py"))}
    said = modules["__init__"].split('"""')[1]
    parts = [_HEAD.format(said=said.strip())]
    for stem, text in modules.items():
        name = "sesam_audit_agent" if stem == "__init__" else f"sesam_audit_agent.{stem}"
        if "'''" in text or text.endswith("\\"):
            raise ValueError(f"{stem} cannot be packed as it is")
        parts.append(f"\nSOURCES[{name!r}] = r'''{text}'''\n")
    return "".join([*parts, _TAIL.format(root=root)]).encode()
