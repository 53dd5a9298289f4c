"""`python -m pytest_llmmock` is the same program as `llmmock`."""

from .cli import main

main()
