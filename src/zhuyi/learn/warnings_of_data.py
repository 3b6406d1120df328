"""The warnings of `learn`: data that can be used, and that a person should hear about."""


class DataWarning(UserWarning):
    """Something in the data that makes a model useless or misleading, found before training."""


class UnseenWarning(DataWarning):
    """Categories that the model never saw in training; they are read as "unseen"."""
