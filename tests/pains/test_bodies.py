"""Files that nobody can read."""

from __future__ import annotations

import gzip
import json
import sys

import pytest
import yaml
from provider import Answer, completion

from pytest_llmmock.cassettes.bodies import CODINGS
