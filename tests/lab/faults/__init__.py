"""Faults, one module per category, and the hosts they are put on."""

from __future__ import annotations

from . import docker, hardware, inbound, layout, outbound, provided, scened, stack, system
from . import license as license_faults
from .fault import Fault

FAULTS: tuple[Fault, ...] = (
    *hardware.FAULTS,
    *system.FAULTS,
    *docker.FAULTS,
    *inbound.FAULTS,
    *outbound.FAULTS,
    *license_faults.FAULTS,
    *layout.FAULTS,
    *stack.FAULTS,
    *provided.FAULTS,
    *scened.FAULTS,
)
