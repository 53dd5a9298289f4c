from __future__ import annotations

from projects import project, standin  # noqa: F401
