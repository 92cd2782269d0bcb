"""The program that carries out an approved plan on the target, and takes it back.

It is a package of small modules without dependencies, for Python 3.6 and later. The auditor packs
them into one text (`sesam-audit probe --agent` prints it), sends it to `python3` on the machine and
speaks with it over its standard input and output. Read in this order: main (what it can be asked),
runner (how a plan is carried out), journal, action, then the kinds of action one by one.

It never changes what is not in the plan that a person approved; removes no data; follows no link
that others could have placed; puts no secret into arguments, environment, journal or log; and
sends nothing anywhere but to its standard output and the Docker daemon's own socket.
"""
