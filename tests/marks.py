"""What keeps a test from running on some machines."""

from __future__ import annotations

import os
import shutil

import pytest

not_as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not there")
