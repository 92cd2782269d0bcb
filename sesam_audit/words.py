"""From the words of a command line to a command: `run` is meant where none is named."""

from __future__ import annotations

import click

IMPLIED = "sesam_audit.run implied"


class Commands(click.Group):
    """The commands, of which `run` is meant where options stand without one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--", "--version", *ctx.help_option_names}
        if args and args[0].startswith("-") and args[0] not in own:
            ctx.meta[IMPLIED] = self.commands
            args = ["run", *args]
        return super().parse_args(ctx, args)


class Run(click.Command):
    """`run`, whose `--wait` may stand without its number; unnamed, it audits this machine."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        from sesam_audit.waiting import spelt

        rest = super().parse_args(ctx, list(spelt(args)))
        hosts, commands = ctx.params.get("hosts"), ctx.meta.get(IMPLIED)
        if hosts and commands:
            known = hosts[0] in commands
            meant = f"sesam-audit {hosts[0]} ..." if known else f"sesam-audit run ... {hosts[0]}"
            ctx.fail(f"A command comes before its options: {meant}")
        return rest
