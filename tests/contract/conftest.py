"""Properties of the contract."""

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
