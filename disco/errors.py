"""The errors of DISCO: one sentence that says what, where and what to do.

Whatever DISCO raises on purpose is a `DiscoError`; a command prints it on one line and exits with 1.
Everything else that escapes is a bug.
"""


class DiscoError(Exception):
    """Something could not be done; the text is a sentence for the person who asked."""


class DataError(DiscoError):
    """A file cannot be used as it is; the sentence begins with the file and the line or column."""

    def __init__(self, where: object, what: str) -> None:
        super().__init__(f"{where}: {what}")


class NotFoundError(DiscoError):
    """A track, a name or a file that was asked for does not exist."""


class MissingExtra(DiscoError):
    """A package is needed that the base install leaves out."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; run, in the project's folder: pip install '.[{extra}]'")


def validation_message(error: Exception) -> str:
    """The message of a `msgspec.ValidationError`, beginning with the key that is wrong.

    Examples
    --------
    >>> validation_message(ValueError("Expected `int`, got `str` - at `$.window`"))
    'window: expected `int`, got `str`'
    >>> validation_message(ValueError("Object missing required field `seed`"))
    'the key `seed` is missing'
    """
    what, _, path = str(error).partition(" - at `$")
    where = path.rstrip("`").lstrip(".")
    what = what.replace("Object missing required field `", "the key `")
    if what.startswith("the key"):
        return f"{what} is missing" + (f" in {where}" if where else "")
    return f"{where}: {what[:1].lower()}{what[1:]}" if where else what
