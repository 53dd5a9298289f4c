"""Recordings held against what an upstream answers today."""
