"""Every error zhuyi raises on purpose; each is also the builtin a caller would expect."""


class ZhuyiError(Exception):
    """Base of all errors raised on purpose, so that one `except` catches them and nothing else."""


class ShapeError(ZhuyiError, ValueError):
    """A tensor's shape or dtype does not fit; the text says what was expected and what came."""


class OptionError(ZhuyiError, ValueError):
    """An option's value is out of range or names something that does not exist."""


class InputError(ZhuyiError, ValueError):
    """A person's input (a text, a file, an image) cannot be used as it is."""


class NotWatchable(ZhuyiError, RuntimeError):
    """A model's attention cannot be seen; the text names the module and the reason."""


class NotKept(ZhuyiError, LookupError):
    """The tape was told not to keep what is asked for; the text says which `Keep` would have."""


class MatrixTooLarge(ZhuyiError, MemoryError):
    """A dense L x L array was asked for above the limit; the text says what to ask instead."""


class BackendUnavailable(ZhuyiError, RuntimeError):
    """A backend asked for by name cannot run this call; nothing else is put in its place."""


class DataUnavailable(ZhuyiError, OSError):
    """A data set cannot be had here; the text says why, and how to get it by hand."""


class RuleConflict(ZhuyiError, ValueError):
    """Two rules ask for what cannot both hold; the text names both."""


class NotSteerable(ZhuyiError, RuntimeError):
    """A rule cannot be applied to this model or call; the text says why and what can."""


class UnmatchedRule(UserWarning):
    """A rule meant nothing in what a model read; an error under `strict`."""
