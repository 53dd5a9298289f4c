"""What an application sends, checked as the real API would check it."""
