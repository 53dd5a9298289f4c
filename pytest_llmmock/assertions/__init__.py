"""What a test asserts of its requests, and what it is told when that is not so."""
