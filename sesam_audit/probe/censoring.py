"""A login and tokens, in every form, are cut out of what is told of a pull."""

import base64


def texts(login):
    """The forms in which a user:password could come back."""
    password = login.partition(b":")[2]
    forms = (base64.b64encode(login), base64.b64encode(password), login, password)
    return [str(each, "utf-8", "replace") for each in forms]


def censored(value, secrets):
    """A copy without what stays here. What is shorter than four letters is no secret."""
    if isinstance(value, dict):
        return {key: censored(each, secrets) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [censored(each, secrets) for each in value]
    if isinstance(value, bytes):
        value = str(value, "utf-8", "backslashreplace")
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "...") if len(secret) > 3 else value
    return value
