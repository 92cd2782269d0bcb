"""Answers sesam-audit's questions about the machine it runs on. It changes nothing.

It is a package of small modules without dependencies, for Python 3.6 and later. The auditor packs
them into one text (`sesam-audit probe` prints it), sends it to `python3` on the machine, and then
speaks with it over the program's own standard input and output. A request is one line of JSON that
holds questions ("asks"); the reply is a JSON list with one answer for each, compressed. Every kind
of question is one function, and the table ANSWERS in vocabulary names them all: files to read,
directories to look at, programs to run, connections to try. Read in this order: main (the
conversation), rounds, question, vocabulary, then the functions that answer, one by one.

It never
  - writes, with two exceptions: `fsync` measures a disk with a nameless file that is gone at its
    end, and is asked only when the operator ordered it; and a *room* (module room), unless the
    operator ordered `--passive`: containers that only wait, so that dials and the listener
    take the way that the stack's containers will take; they are removed at the end, with their
    network and their empty image, also when the connection or this program dies;
  - tells secrets: what may hold them (license, docker logins, .env, keys, the rendered stack) is
    reduced here to what the audit needs, and user:password is cut out of every URL that leaves;
  - sends anything anywhere but to its standard output and to the endpoints it is asked to dial,
    which get a plain GET; it follows no redirect and takes no proxy from the environment;
    `pull` alone does more: it rehearses a pull from Docker Hub, redirects included, and shows the
    login that lies on this machine to https://auth.docker.io, as the updater will;
  - stays: it ends, and kills every program that it started, when its standard input ends (the
    auditor or the connection is gone), and after fifteen minutes in any case.
"""
