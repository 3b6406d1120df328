"""Words that depend on a number."""


def many(count: int, noun: str = "input") -> str:
    """A count with its noun.

    Example:
        >>> many(1), many(3)
        ('1 input', '3 inputs')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
