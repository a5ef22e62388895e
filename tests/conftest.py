"""Hypothesis profiles, chosen by HYPOTHESIS_PROFILE: `check` (the default) repeats itself exactly, `prove` explores."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("check", deadline=None, max_examples=100, derandomize=True, database=None)
settings.register_profile("prove", deadline=None, max_examples=5000, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "check"))
