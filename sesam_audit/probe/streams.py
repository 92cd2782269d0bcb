"""What a socket brings, with one end of time for all of it, and one HTTP exchange on it."""

import io
import socket
import time

from .faults import named


def remaining(until):
    left = until - time.monotonic()
    if left <= 0:
        raise socket.timeout("out of time")
    return left


class Stream(io.RawIOBase):
    """What a socket brings, for http.client, with one end of time for all reads together."""

    def __init__(self, link, until):
        self.link, self.until = link, until

    def readable(self):
        return True

    def makefile(self, mode):
        return io.BufferedReader(self)

    def readinto(self, buffer):
        self.link.settimeout(remaining(self.until))
        try:
            return self.link.recv_into(buffer)
        except OSError as error:
            # Python 3.6 and 3.7 raise where a server closes without close_notify: just an end.
            if named(error) == "TLS" and "eof" in str(error).lower() or error.errno == 0:
                return 0
            raise


def exchange(link, line, headers, until, body=b""):
    from http.client import HTTPResponse

    head = [line] + ["%s: %s" % each for each in headers.items()] + ["Connection: close", "", ""]
    link.settimeout(remaining(until))
    link.sendall("\r\n".join(head).encode("utf-8") + body)
    response = HTTPResponse(Stream(link, until), method=line.split(" ")[0])
    response.begin()
    return response
