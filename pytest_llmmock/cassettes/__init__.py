"""Answers that were recorded before."""
